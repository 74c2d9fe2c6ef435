/* Between benchopt's page and plotly.js. The page was written for plotly.js 2;
 * Python's plotly package ships a later one, which takes a title as
 * {text: ...} only. Here is also what makes forty solvers and a narrow screen
 * readable: smaller letters, margins and markers, titles broken into lines,
 * bars that lie, so that their names stand upright.
 */
const page = (() => {
  const narrow = () => window.innerWidth < 640;

  /* Break the parts of a text (separated by <br>) after a blank or comma. */
  const wrap = (text, letters) => text.split(/<br\s*\/?>/).map((part) => {
    const lines = [''];
    part.split(/(?<=[, ])|(?=\[)/).forEach((word) => {
      const last = lines[lines.length - 1];
      if (last && last.length + word.length > letters) lines.push(word);
      else lines[lines.length - 1] = last + word;
    });
    return lines.join('<br>');
  }).join('<br>');

  const asTitle = (title) =>
    (typeof title === 'string' ? {text: title} : title || {});

  const adaptAxis = (axis, size) => axis && {
    ...axis,
    title: {...asTitle(axis.title), standoff: 8, font: {size}},
    tickfont: {size: narrow() ? 9 : 12},
  };

  const adaptLayout = (layout, width, left) => {
    const size = narrow() ? 11 : 14;
    // a letter is a little more than half as wide as it is high
    const letters = Math.floor((width - 40) / (0.6 * size));
    const text = wrap(asTitle(layout.title).text || '', letters);
    const lines = text.split('<br>').length;
    return {
      ...layout,
      title: {
        text, font: {size}, x: 0.5, xanchor: 'center', yref: 'container',
        y: 1, yanchor: 'top', pad: {t: 2 * size},
      },
      xaxis: adaptAxis(layout.xaxis, size),
      yaxis: adaptAxis(layout.yaxis, size),
      margin: {
        t: size * (2 + 1.35 * lines), l: left || 5 * size,
        r: narrow() ? 8 : 48, b: 4 * size,
      },
      dragmode: narrow() ? false : layout.dragmode,
    };
  };

  const thin = (data) => {
    const many = data.length > 12 || narrow();
    return data.map((trace) => (trace.type === 'scatter' && trace.mode
      && trace.mode.includes('markers') ? {
        ...trace,
        marker: {...trace.marker, size: many ? 5 : 8},
        line: {width: many ? 1.5 : 2, ...trace.line},
      } : trace));
  };

  /* Lay bars down, the first one on top. benchopt's grey for a solver that
   * stopped short is no colour to plotly.js 3, which draws it black. */
  const lay = (data, layout) => {
    const names = [...new Set(data.flatMap((trace) => [...trace.x || []]))];
    const size = narrow() ? 9 : 12;
    const labels = names.map((name) => wrap(String(name), narrow() ? 30 : 56));
    const lines = labels.flatMap((label) => label.split('<br>'));
    const most = Math.max(...labels.map((one) => one.split('<br>').length));
    const longest = Math.max(...lines.map((line) => line.length));
    const grey = (color) =>
      (color === NON_CONVERGENT_COLOR ? '#dcdcdc' : color);
    return {
      data: data.map((trace) => ({
        ...trace, x: trace.y, y: trace.x,
        ...(trace.type === 'bar' ? {
          orientation: 'h', textangle: 0,
          marker: {color: (trace.marker?.color || []).map(grey)},
        } : {
          mode: 'markers', marker: {...trace.marker, symbol: 'line-ns-open'},
        }),
      })),
      layout: {
        ...layout,
        bargap: 0.25,
        xaxis: {...layout.yaxis},
        yaxis: {
          ...layout.xaxis, type: 'category', tickangle: 0, ticks: '',
          range: [names.length - 0.5, -0.5], minor: {},
          categoryorder: 'array', categoryarray: names, showgrid: false,
          tickvals: names, ticktext: labels,
        },
      },
      left: 0.58 * size * longest + 12,
      height: 160 + names.length * (1.3 * size * most + 8),
    };
  };

  const react = Plotly.react;
  Plotly.react = (div, data, layout) => {
    const width = div.clientWidth || window.innerWidth;
    let drawn = {data: thin(data), layout, height: null, left: null};
    if (data.some((trace) => trace.type === 'bar')) drawn = lay(data, layout);
    if (div.dataset.height !== String(drawn.height)) {
      div.dataset.height = String(drawn.height);
      div.style.height = drawn.height ? `${drawn.height}px` : '';
    }
    const adapted = adaptLayout(drawn.layout, width, drawn.left);
    return react(div, drawn.data, adapted, {
      displaylogo: false, displayModeBar: !narrow(),
    });
  };

  /* benchopt resizes the figure when the window changes, seen or not. */
  const resize = Plotly.Plots.resize;
  Plotly.Plots.resize = (div) =>
    (div.offsetParent && div.data ? resize(div) : Promise.resolve());

  /* The menu for phones repeats the ids of the other one, so benchopt never
   * shows in it what is drawn. */
  const showStateInMenu = () => {
    const current = {
      plot_kind: state().plot_kind, change_scale: state().scale,
      change_shades: state().with_quantiles,
      change_suboptimal: state().suboptimal_curve,
      change_relative: state().relative_curve,
    };
    document.querySelectorAll(
      '#mobile-plot-form select, #mobile-plot-form input',
    ).forEach((one) => {
      const value = current[one.id] ?? state()[one.id.replace('change_', '')];
      if (one.type === 'checkbox') one.checked = value;
      else one.value = value;
    });
  };

  /* The page as a text, with the views that the reader has saved. Before
   * anything was drawn: benchopt's own download has what is drawn, and not
   * the views. */
  let original;
  document.addEventListener('DOMContentLoaded', () => {
    original = document.documentElement.outerHTML;
  });
  const exported = () => {
    const views = JSON.stringify(window.metadata.plot_configs);
    const names = Object.keys(window.metadata.plot_configs);
    return `<!DOCTYPE html>\n${original}<script>page.restore(${
      views.replaceAll('<', '\\u003c')})</script>`;
  };
  const restore = (views) => {
    const known = window.metadata.plot_configs;
    Object.keys(views).filter((name) => !(name in known)).forEach((name) => {
      const tab = document.querySelectorAll('.view')[1].cloneNode();
      tab.classList.remove('active');
      tab.textContent = name;
      tab.onclick = () => setConfig(tab);
      document.getElementById('view-tabs').append(tab);
      document.getElementById('tabs').append(new Option(name));
    });
    Object.assign(known, views);
  };

  window.addEventListener('load', () => {
    document.getElementById('btn-plot-config')
      .addEventListener('click', showStateInMenu);
    document.querySelectorAll('[onclick*=exportHTML]').forEach((button) => {
      button.onclick = () => downloadBlob(
        new Blob([exported()], {type: 'text/html'}),
        location.pathname.split('/').pop(),
      );
    });
    // the first view is the one that opens, after this
    setTimeout(() => {
      const first = Object.keys(window.metadata.plot_configs)[0];
      if (first) document.getElementById('tabs').value = first;
    });
  });

  return {exported, restore};
})();

/* Stands in for anime.js, which moves the word in the corner. */
const anime = {timeline: () => ({add() { return this; }})};

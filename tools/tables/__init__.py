"""Write the tables and sentences of the documents from the results."""

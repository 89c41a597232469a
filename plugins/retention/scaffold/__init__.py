"""Write the skeleton of a source, metric, alert rule or mart into a checkout."""

"""Reports: tables and plots made from a results folder alone; no task or activation is imported."""

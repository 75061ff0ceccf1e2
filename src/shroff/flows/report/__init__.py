"""The daily report: a table for spreadsheets, a document for programs, a page for people."""

from shroff.flows.report.daily import CSV, HTML, JSON, DayReport, report

__all__ = ["CSV", "HTML", "JSON", "DayReport", "report"]

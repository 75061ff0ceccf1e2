"""The daily report: a table for spreadsheets, a document for programs, a page for people."""

from shroff.flows.report.daily import CSV, HTML, JSON, DayReport, report
from shroff.flows.report.document import DayAudit

__all__ = ["CSV", "HTML", "JSON", "DayAudit", "DayReport", "report"]

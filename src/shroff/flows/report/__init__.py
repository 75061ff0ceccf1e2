"""The daily report: a table for spreadsheets, a document for programs, a page for people."""

from shroff.flows.report.daily import CSV, HTML, JSON, DayReport, report
from shroff.flows.report.ripen import Ripe
from shroff.flows.report.split import report_some

__all__ = ["CSV", "HTML", "JSON", "DayReport", "Ripe", "report", "report_some"]

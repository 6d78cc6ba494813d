"""Ids: what a command names a row by, each a type of its own, so that what an actor may name can be checked. Pure."""

from typing import NewType

ProjectNo = NewType("ProjectNo", str)
CaseNo = NewType("CaseNo", str)
MaterialId = NewType("MaterialId", int)
ReviewId = NewType("ReviewId", int)
ReviewEventId = NewType("ReviewEventId", int)
FactEventId = NewType("FactEventId", int)
Waybill = NewType("Waybill", str)
StopId = NewType("StopId", int)
RunId = NewType("RunId", int)
PlanId = NewType("PlanId", int)
CourierId = NewType("CourierId", int)
ShiftRuleId = NewType("ShiftRuleId", int)
ListNo = NewType("ListNo", str)
ReferralId = NewType("ReferralId", int)
AgentId = NewType("AgentId", int)
AssignmentId = NewType("AssignmentId", int)
"""The place of an agent in a project's team."""
AbsenceId = NewType("AbsenceId", int)
EnterpriseId = NewType("EnterpriseId", int)
ContactId = NewType("ContactId", int)
RecipientId = NewType("RecipientId", int)
TicketNo = NewType("TicketNo", str)
RectificationId = NewType("RectificationId", int)
MessageId = NewType("MessageId", int)
ContactNoteId = NewType("ContactNoteId", int)
CaseMessageId = NewType("CaseMessageId", int)
CourierReportId = NewType("CourierReportId", int)
RoadsidePassId = NewType("RoadsidePassId", int)
CourierWordId = NewType("CourierWordId", int)
VisitWordId = NewType("VisitWordId", int)
SubscriptionId = NewType("SubscriptionId", int)
DeliveryId = NewType("DeliveryId", int)
DivisionCode = NewType("DivisionCode", str)
"""Any place of the network: where a project stands, what a question is about."""
AreaCode = NewType("AreaCode", str)
"""A place that the actor works for."""
CentreId = NewType("CentreId", int)
BatchId = NewType("BatchId", int)
FileId = NewType("FileId", str)
"""A kept file, by the SHA-256 of its content."""

BIGGEST = 2**63 - 1
LONGEST = 64

"""Verdicts at their limits: each provider's error once, and what an unknown error is taken for."""

import pytest

from notifications.verdicts import CONSOLE, DOMESTIC, TWILIO, Verdict, receipt_verdict, verdict

MEANT = {
    Verdict.BACK_OFF: "429 20429 14107 isv.BUSINESS_LIMIT_CONTROL isv.DAY_LIMIT_CONTROL Throttling Throttling.User "
    "Throttling.Api SignatureNonceUsed",
    Verdict.ACCOUNT: "20003 20005 21212 21603 21606 21659 30002 isv.AMOUNT_NOT_ENOUGH isv.OUT_OF_SERVICE "
    "isv.ACCOUNT_ABNORMAL isv.ACCOUNT_NOT_EXISTS isv.PRODUCT_UN_SUBSCRIPT isp.RAM_PERMISSION_DENY "
    "SignatureDoesNotMatch InvalidAccessKeyId.NotFound InvalidTimeStamp.Expired",
    Verdict.TRY_AGAIN: "30001 30003 MOBILE_TERMINAL_ERROR",
    Verdict.STOP_NUMBER: "30004 30005 30006 21211 21614 isv.MOBILE_NUMBER_ILLEGAL MOBILE_NOT_ON_SERVICE permanent",
    Verdict.OPTED_OUT: "21610 MOBILE_IN_BLACK",
    Verdict.OWNER: "30007 21617 isv.SMS_TEMPLATE_ILLEGAL isv.SMS_SIGNATURE_ILLEGAL isv.TEMPLATE_MISSING_PARAMETERS "
    "isv.TEMPLATE_PARAMS_ILLEGAL isv.INVALID_PARAMETERS isv.INVALID_JSON_PARAM isv.PARAM_LENGTH_LIMIT "
    "isv.PARAM_NOT_SUPPORT_URL isv.BLACK_KEY_CONTROL_LIMIT CONTENT_KEYWORD CONTENT_ERROR NO_TEMPLATE",
    Verdict.NO_RESEND: "30008 30410 MOBILE_SEND_LIMIT temporary",
    Verdict.REFUSED: "21408",
}
CODES = [(code, meant) for meant, codes in MEANT.items() for code in codes.split()]


@pytest.mark.parametrize(("code", "meant"), CODES)
def test_each_error_has_its_one_meaning(code, meant):
    assert verdict(code) is meant


def test_every_error_of_every_provider_is_listed_here():
    assert {code for code, _ in CODES} == TWILIO.keys() | DOMESTIC.keys() | CONSOLE.keys()


@pytest.mark.parametrize("code", [None, "", "99999"])
def test_an_unknown_refusal_is_of_this_message_alone_and_an_unknown_receipt_is_never_sent_again(code):
    assert verdict(code) is Verdict.REFUSED
    assert receipt_verdict(code) is Verdict.NO_RESEND


@pytest.mark.parametrize(("code", "meant"), CODES)
def test_a_receipt_is_never_proof_that_nothing_was_sent(code, meant):
    may_have_arrived = meant in (Verdict.BACK_OFF, Verdict.ACCOUNT)
    assert receipt_verdict(code) is (Verdict.NO_RESEND if may_have_arrived else meant)

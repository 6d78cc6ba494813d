"""Verdicts: what each provider's error means for the message, its number and its text."""

from enum import StrEnum


class Verdict(StrEnum):
    BACK_OFF = "back_off"
    """Never processed: send it again, later."""
    ACCOUNT = "account"
    """Never processed, and the account itself is at fault: the gateway is in trouble."""
    TRY_AGAIN = "try_again"
    """The handset was not reached: three tries over 24 hours."""
    STOP_NUMBER = "stop_number"
    """No SMS will ever reach this number: mark it."""
    OPTED_OUT = "opted_out"
    """Its owner wants nothing from us, ever."""
    OWNER = "owner"
    """The words were filtered: whoever owns the text must look."""
    NO_RESEND = "no_resend"
    """Failed, perhaps not for ever, but it may have arrived: not sent again by the program."""
    REFUSED = "refused"
    """Will not be sent as it is."""


TWILIO = {
    "429": Verdict.BACK_OFF,
    "20429": Verdict.BACK_OFF,
    "14107": Verdict.BACK_OFF,
    "20003": Verdict.ACCOUNT,
    "20005": Verdict.ACCOUNT,
    "21212": Verdict.ACCOUNT,
    "21603": Verdict.ACCOUNT,
    "21606": Verdict.ACCOUNT,
    "21659": Verdict.ACCOUNT,
    "30002": Verdict.ACCOUNT,
    "30001": Verdict.TRY_AGAIN,
    "30003": Verdict.TRY_AGAIN,
    "30004": Verdict.STOP_NUMBER,
    "30005": Verdict.STOP_NUMBER,
    "30006": Verdict.STOP_NUMBER,
    "21211": Verdict.STOP_NUMBER,
    "21614": Verdict.STOP_NUMBER,
    "21610": Verdict.OPTED_OUT,
    "30007": Verdict.OWNER,
    "21617": Verdict.OWNER,
    "30008": Verdict.NO_RESEND,
    "30410": Verdict.NO_RESEND,
    "21408": Verdict.REFUSED,
}

DOMESTIC = {
    "isv.BUSINESS_LIMIT_CONTROL": Verdict.BACK_OFF,
    "isv.DAY_LIMIT_CONTROL": Verdict.BACK_OFF,
    "Throttling": Verdict.BACK_OFF,
    "Throttling.User": Verdict.BACK_OFF,
    "Throttling.Api": Verdict.BACK_OFF,
    "isv.AMOUNT_NOT_ENOUGH": Verdict.ACCOUNT,
    "isv.OUT_OF_SERVICE": Verdict.ACCOUNT,
    "isv.ACCOUNT_ABNORMAL": Verdict.ACCOUNT,
    "isv.ACCOUNT_NOT_EXISTS": Verdict.ACCOUNT,
    "isv.PRODUCT_UN_SUBSCRIPT": Verdict.ACCOUNT,
    "isp.RAM_PERMISSION_DENY": Verdict.ACCOUNT,
    "SignatureDoesNotMatch": Verdict.ACCOUNT,
    "SignatureNonceUsed": Verdict.BACK_OFF,
    "InvalidAccessKeyId.NotFound": Verdict.ACCOUNT,
    "InvalidTimeStamp.Expired": Verdict.ACCOUNT,
    "isv.MOBILE_NUMBER_ILLEGAL": Verdict.STOP_NUMBER,
    "MOBILE_NOT_ON_SERVICE": Verdict.STOP_NUMBER,
    "MOBILE_IN_BLACK": Verdict.OPTED_OUT,
    "isv.SMS_TEMPLATE_ILLEGAL": Verdict.OWNER,
    "isv.SMS_SIGNATURE_ILLEGAL": Verdict.OWNER,
    "isv.TEMPLATE_MISSING_PARAMETERS": Verdict.OWNER,
    "isv.TEMPLATE_PARAMS_ILLEGAL": Verdict.OWNER,
    "isv.INVALID_PARAMETERS": Verdict.OWNER,
    "isv.INVALID_JSON_PARAM": Verdict.OWNER,
    "isv.PARAM_LENGTH_LIMIT": Verdict.OWNER,
    "isv.PARAM_NOT_SUPPORT_URL": Verdict.OWNER,
    "isv.BLACK_KEY_CONTROL_LIMIT": Verdict.OWNER,
    "CONTENT_KEYWORD": Verdict.OWNER,
    "CONTENT_ERROR": Verdict.OWNER,
    "MOBILE_SEND_LIMIT": Verdict.NO_RESEND,
    "MOBILE_TERMINAL_ERROR": Verdict.TRY_AGAIN,
    "NO_TEMPLATE": Verdict.OWNER,
}

CONSOLE = {"permanent": Verdict.STOP_NUMBER, "temporary": Verdict.NO_RESEND}

_ALL = TWILIO | DOMESTIC | CONSOLE


def verdict(code: str | None) -> Verdict:
    """What a refusal's code means; one that nobody knows is a refusal of this message alone."""
    return _ALL.get(code or "", Verdict.REFUSED)


def receipt_verdict(code: str | None) -> Verdict:
    """What a failed receipt's code means. It may have arrived, so an unknown code is never sent again."""
    found = _ALL.get(code or "", Verdict.NO_RESEND)
    if found in (Verdict.BACK_OFF, Verdict.ACCOUNT):
        return Verdict.NO_RESEND
    return found

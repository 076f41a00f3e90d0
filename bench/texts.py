"""The two texts of a measured turn: a prompt of 40 words and an answer of 60, with personal data in both."""

PROMPT = (
    "Please write to Marie Tremblay at marie.tremblay@example.com or call her at 514-555-0199 about the "
    "meeting in Montréal, tell her that Jean Côté will bring the signed contract, and ask whether the "
    "room for twelve people is still free on Thursday."
)
ANSWER = (
    "Dear Marie, thank you for your message about the meeting of next week. Jean will bring the signed "
    "contract, and we hope that the room for twelve people is still free on Thursday. If it is not, "
    "please tell us which other day would suit you and your colleagues, and we will gladly change plans. "
    "Kind regards from the office."
)
assert len(PROMPT.split()) == 40, len(PROMPT.split())
assert len(ANSWER.split()) == 60, len(ANSWER.split())

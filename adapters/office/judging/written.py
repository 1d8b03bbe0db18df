"""How people write kinds of documents and of students: words in both languages, or the code."""

from collections.abc import Iterable, Mapping
from typing import Final

from yibao.domain.vocabulary import Category, Document

_DOCUMENTS: Final[dict[Document, str]] = {
    Document.RESIDENT_ID_CARD: "居民身份证 身份证 中华人民共和国居民身份证 二代身份证 "
    "residentidcard residentidentitycard identitycard idcard",
    Document.HMT_RESIDENCE_PERMIT: "港澳居民居住证 台湾居民居住证 港澳台居民居住证 港澳台居住证 "
    "residencepermit residencepermitforhongkong,macaoandtaiwanresidents",
    Document.PASSPORT: "护照 普通护照 中国护照 外国护照 passport",
    Document.TAIWAN_TRAVEL_PERMIT: "台湾居民来往大陆通行证 台胞证 "
    "mainlandtravelpermitfortaiwanresidents",
    Document.HK_MACAO_TRAVEL_PERMIT: "港澳居民来往内地通行证 回乡证 "
    "mainlandtravelpermitforhongkongandmacaoresidents",
    Document.EXIT_ENTRY_PERMIT: "出入境通行证 exit-entrypermit",
    Document.OVERSEAS_CHINESE_PERMIT: "侨胞证 华侨证 overseas-chinesepermit",
}
_CATEGORIES: Final[dict[Category, str]] = {
    Category.UNDERGRADUATE: "本科生 本科 大学本科 普通本科 undergraduatestudent bachelor",
    Category.HIGHER_VOCATIONAL: "专科生 专科 大专 大专生 高职 高职生 高职高专 高职高专学生 "
    "higher-vocationalstudent highervocationalstudent juniorcollege juniorcollegestudent",
    Category.POSTGRADUATE: "研究生 非在职研究生 全日制研究生 硕士 硕士生 硕士研究生 "
    "博士 博士生 博士研究生 "
    "postgraduatenotinemployment postgraduatestudent graduate graduatestudent master doctoral",
    Category.EMPLOYED_POSTGRADUATE: "在职研究生 在职 postgraduateinemployment",
    Category.FOREIGN: "留学生 外国留学生 国际学生 来华留学生 foreignstudent international "
    "internationalstudent",
}


def _by_word(words: Mapping[Document, str] | Mapping[Category, str]) -> dict[str, str]:
    return {
        plainly: str(code)
        for code, told in words.items()
        for plainly in (*told.split(), *_of_code(str(code)))
    }


def _of_code(code: str) -> Iterable[str]:
    return code, code.replace("_", "")


#: The code of each word, written as `plain` has it.
DOCUMENTS: Final = _by_word(_DOCUMENTS)
CATEGORIES: Final = _by_word(_CATEGORIES)

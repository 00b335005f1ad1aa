package claims

import "strings"

// The tables are strings without separators, so that a reviewer can compare them
// with the standards at a glance; a code stands at a multiple of its width.

// countries are the 249 officially assigned alpha-2 codes of ISO 3166-1.
const countries = "ADAEAFAGAIALAMAOAQARASATAUAWAXAZ" +
	"BABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZ" +
	"CACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZ" +
	"DEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFR" +
	"GAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGY" +
	"HKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJP" +
	"KEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLY" +
	"MAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZ" +
	"NANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQA" +
	"RERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZ" +
	"TCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZ" +
	"VAVCVEVGVIVNVUWFWSYEYTZAZMZW"

// languages are the 183 codes of ISO 639-1.
const languages = "aaabaeafakamanarasavayazbabebgbibmbnbobrbs" +
	"cacechcocrcscucvcydadedvdzeeeleneoeseteufafffifjfofrfy" +
	"gagdglgngugvhahehihohrhthuhyhziaidieigiiikioisitiuja" +
	"jvkakgkikjkkklkmknkokrkskukvkwkylalblglilnloltlulv" +
	"mgmhmimkmlmnmrmsmtmynanbndnengnlnnnonrnvnyocojomoros" +
	"papiplpsptqurmrnrorurwsascsdsesgsiskslsmsnsosqsrssstsusvsw" +
	"tatetgthtitktltntotrtstttwtyugukuruzvevivowawoxhyiyozazhzu"

// currencies are the alphabetic codes of ISO 4217 that name money in use, with
// the funds codes and precious metals that some ledgers count in. BGN, HRK, ANG
// and the like stay for balances of before their countries' change.
const currencies = "AEDAFNALLAMDANGAOAARSAUDAWGAZNBAMBBDBDTBGNBHDBIFBMDBNDBOBBOVBRLBSDBTNBWPBYNBZD" +
	"CADCDFCHECHFCHWCLFCLPCNYCOPCOUCRCCUPCVECZKDJFDKKDOPDZDEGPERNETBEURFJDFKPGBPGELGHSGIPGMDGNFGTQGYD" +
	"HKDHNLHRKHTGHUFIDRILSINRIQDIRRISKJMDJODJPYKESKGSKHRKMFKPWKRWKWDKYDKZTLAKLBPLKRLRDLSLLYD" +
	"MADMDLMGAMKDMMKMNTMOPMRUMURMVRMWKMXNMXVMYRMZNNADNGNNIONOKNPRNZDOMRPABPENPGKPHPPKRPLNPYGQAR" +
	"RONRSDRUBRWFSARSBDSCRSDGSEKSGDSHPSLESOSSRDSSPSTNSVCSYPSZLTHBTJSTMTTNDTOPTRYTTDTWDTZS" +
	"UAHUGXUSDUSNUYIUYUUYWUZSVEDVESVNDVUVWSTXAFXAGXAUXCDXCGXDRXOFXPDXPFXPTXSUXUAYERZARZMWZWG"

// phoneTypes are the values of Contact.PhoneType.
var phoneTypes = []string{"HOME", "MOBILE", "WORK", "FAX", "MAIN", "HOME_FAX", "WORK_FAX", "PAGER", "OTHER"}

// listed reports whether code is in a table of codes of that width.
func listed(table, code string, width int) bool {
	if len(code) != width {
		return false
	}
	for from := 0; ; {
		i := strings.Index(table[from:], code)
		if i < 0 {
			return false
		}
		if (from+i)%width == 0 {
			return true
		}
		from += i + 1
	}
}

func isCountry(code string) bool  { return listed(countries, code, 2) }
func isLanguage(code string) bool { return listed(languages, code, 2) }
func isCurrency(code string) bool { return listed(currencies, code, 3) }

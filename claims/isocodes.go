package claims

import "strings"

// Each table lists codes in alphabetical order, separated by white space. They are
// the codes of pycountry 26.2.16 (February 2026), except as noted.

// countries are the 249 officially assigned alpha-2 codes of ISO 3166-1.
const countries = `
	AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ
	BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
	CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ
	DE DJ DK DM DO DZ
	EC EE EG EH ER ES ET
	FI FJ FK FM FO FR
	GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY
	HK HM HN HR HT HU
	ID IE IL IM IN IO IQ IR IS IT
	JE JM JO JP
	KE KG KH KI KM KN KP KR KW KY KZ
	LA LB LC LI LK LR LS LT LU LV LY
	MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ
	NA NC NE NF NG NI NL NO NP NR NU NZ
	OM
	PA PE PF PG PH PK PL PM PN PR PS PT PW PY
	QA
	RE RO RS RU RW
	SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ
	TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ
	UA UG UM US UY UZ
	VA VC VE VG VI VN VU
	WF WS
	YE YT
	ZA ZM ZW
`

// languages are the 183 codes of ISO 639-1, without the deprecated code sh.
const languages = `
	aa ab ae af ak am an ar as av ay az
	ba be bg bi bm bn bo br bs
	ca ce ch co cr cs cu cv cy
	da de dv dz
	ee el en eo es et eu
	fa ff fi fj fo fr fy
	ga gd gl gn gu gv
	ha he hi ho hr ht hu hy hz
	ia id ie ig ii ik io is it iu
	ja jv
	ka kg ki kj kk kl km kn ko kr ks ku kv kw ky
	la lb lg li ln lo lt lu lv
	mg mh mi mk ml mn mr ms mt my
	na nb nd ne ng nl nn no nr nv ny
	oc oj om or os
	pa pi pl ps pt
	qu
	rm rn ro ru rw
	sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw
	ta te tg th ti tk tl tn to tr ts tt tw ty
	ug uk ur uz
	ve vi vo
	wa wo
	xh
	yi yo
	za zh zu
`

// currencies are the alphabetic codes of ISO 4217 without XAD, the bond market units
// XBA to XBD, the test code XTS and XXX (no currency).
const currencies = currenciesInUse + currencyUnits + withdrawnCurrencies

// currenciesInUse are the currencies that people pay with.
const currenciesInUse = `
	AED AFN ALL AMD AOA ARS AUD AWG AZN
	BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
	CAD CDF CHF CLP CNY COP CRC CUP CVE CZK
	DJF DKK DOP DZD
	EGP ERN ETB EUR
	FJD FKP
	GBP GEL GHS GIP GMD GNF GTQ GYD
	HKD HNL HTG HUF
	IDR ILS INR IQD IRR ISK
	JMD JOD JPY
	KES KGS KHR KMF KPW KRW KWD KYD KZT
	LAK LBP LKR LRD LSL LYD
	MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN
	NAD NGN NIO NOK NPR NZD
	OMR
	PAB PEN PGK PHP PKR PLN PYG
	QAR
	RON RSD RUB RWF
	SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL
	THB TJS TMT TND TOP TRY TTD TWD TZS
	UAH UGX USD UYU UZS
	VED VES VND VUV
	WST
	XAF XCD XCG XOF XPF
	YER
	ZAR ZMW ZWG
`

// currencyUnits are funds codes, accounting units and precious metals. Some
// ledgers keep balances in them.
const currencyUnits = `
	BOV
	CHE CHW CLF COU
	MXV
	USN UYI UYW
	XAG XAU XDR XPD XPT XSU XUA
`

// withdrawnCurrencies may still appear in old balances. They were replaced by XCG
// and EUR.
const withdrawnCurrencies = `
	ANG
	BGN
	HRK
`

// phoneTypes are the values of Contact.PhoneType.
var phoneTypes = []string{"HOME", "MOBILE", "WORK", "FAX", "MAIN", "HOME_FAX", "WORK_FAX", "PAGER", "OTHER"}

func isCountry(code string) bool  { return containsCode(countries, code) }
func isLanguage(code string) bool { return containsCode(languages, code) }
func isCurrency(code string) bool { return containsCode(currencies, code) }

// containsCode reports whether the code is in a table.
func containsCode(table, code string) bool {
	for entry := range strings.FieldsSeq(table) {
		if entry == code {
			return true
		}
	}
	return false
}

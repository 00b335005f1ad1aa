package claims

// CustomerInfo is LiveEngage's engagement attribute ctmrinfo, in the spelling that
// lp_sdes uses. Every field is optional; the zero value of a field is left out.
// The attribute's fields storeZipCode and storeNumber are missing, because LiveEngage
// ignores them for authenticated consumers.
type CustomerInfo struct {
	Type             string   `json:"ctype,omitempty"`            // tier, such as gold; LiveEngage ignores its case
	Status           string   `json:"cstatus,omitempty"`          // stage of life, such as cancelled; likewise
	Balance          *float64 `json:"balance,omitempty"`          // in units of Currency; may be negative; nil is unknown
	Currency         string   `json:"currency,omitempty"`         // ISO 4217, upper case
	CustomerID       string   `json:"customerId,omitempty"`       // the brand's id for the customer
	SocialID         string   `json:"socialId,omitempty"`         // the customer's id in a social network
	IMEI             string   `json:"imei,omitempty"`             // device; LiveEngage overlays it with phone_number
	UserName         string   `json:"userName,omitempty"`         // sign-in name at the brand
	CompanySize      *int     `json:"companySize,omitempty"`      // employees; nil is unknown
	CompanyBranch    string   `json:"companyBranch,omitempty"`    //
	AccountName      string   `json:"accountName,omitempty"`      // company of a business customer
	Role             string   `json:"role,omitempty"`             // title within that company
	LastPaymentDate  *Date    `json:"lastPaymentDate,omitempty"`  // nil is unknown
	RegistrationDate *Date    `json:"registrationDate,omitempty"` // nil is unknown
	LoginStatus      *int     `json:"loginStatus,omitempty"`      // LivePerson documents no meanings; nil is unknown
}

// Date is a calendar date without a time zone. All three parts are always written.
// The zero value is not a date: Validate rejects it.
type Date struct {
	Day   int `json:"day"`   // 1 to 31
	Month int `json:"month"` // 1 to 12
	Year  int `json:"year"`  // four digits
}

func (c *CustomerInfo) isBlank() bool { return c == nil || *c == CustomerInfo{} }

package claims

import (
	"strconv"
	"time"
)

// Interactions is the sdes object of LivePerson's Messaging Interactions API (version
// 2, in which numbers are numbers). The API spells many fields differently from
// lp_sdes and omits the type of a phone and the address of a contact.
type Interactions struct {
	// Events holds at most one entry per attribute, ctmrinfo first; never nil.
	Events []Interaction `json:"events"`
}

// Interaction is one attribute at one time. One of its two pointers is set.
type Interaction struct {
	CustomerInfo *CustomerInteraction `json:"customerInfo,omitempty"`
	PersonalInfo *PersonalInteraction `json:"personalInfo,omitempty"`
	// SDEType is CUSTOMER_INFO or PERSONAL_INFO.
	SDEType string `json:"sdeType"`
	// ServerTimeStamp is in milliseconds since 1970, as a decimal string.
	ServerTimeStamp string `json:"serverTimeStamp"`
}

// CustomerInteraction is the API's envelope of ReportedCustomer. It repeats the name
// and the time.
type CustomerInteraction struct {
	ServerTimeStamp string           `json:"serverTimeStamp"`
	CustomerInfo    ReportedCustomer `json:"customerInfo"`
}

// PersonalInteraction is the API's envelope of ReportedPersonal. It repeats the name
// and the time.
type PersonalInteraction struct {
	ServerTimeStamp string           `json:"serverTimeStamp"`
	PersonalInfo    ReportedPersonal `json:"personalInfo"`
}

// ReportedCustomer is CustomerInfo in the API's spelling.
type ReportedCustomer struct {
	CustomerType     string   `json:"customerType,omitempty"`
	CustomerStatus   string   `json:"customerStatus,omitempty"`
	Balance          *float64 `json:"balance,omitempty"`
	Currency         string   `json:"currency,omitempty"`
	CustomerID       string   `json:"customerId,omitempty"`
	SocialID         string   `json:"socialId,omitempty"`
	IMEI             string   `json:"imei,omitempty"`
	UserName         string   `json:"userName,omitempty"`
	CompanySize      *int     `json:"companySize,omitempty"`
	CompanyBranch    string   `json:"companyBranch,omitempty"`
	AccountName      string   `json:"accountName,omitempty"`
	Role             string   `json:"role,omitempty"`
	LastPaymentDate  *Date    `json:"lastPaymentDate,omitempty"`
	RegistrationDate *Date    `json:"registrationDate,omitempty"`
	LoginStatus      *int     `json:"loginStatus,omitempty"`
}

// ReportedPersonal is PersonalInfo in the API's spelling.
type ReportedPersonal struct {
	Name     string            `json:"name,omitempty"`
	Surname  string            `json:"surname,omitempty"`
	Age      *ReportedAge      `json:"customerAge,omitempty"`
	Contacts []ReportedContact `json:"contacts,omitempty"`
	Gender   string            `json:"gender,omitempty"`
	Language string            `json:"language,omitempty"`
	Company  string            `json:"company,omitempty"`
}

// ReportedAge is Age in the API's spelling. CustomerDateOfBirth is the day of the month.
type ReportedAge struct {
	CustomerAgeInYears   *int `json:"customerAgeInYears,omitempty"`
	CustomerYearOfBirth  int  `json:"customerYearOfBirth,omitempty"`
	CustomerMonthOfBirth int  `json:"customerMonthOfBirth,omitempty"`
	CustomerDateOfBirth  int  `json:"customerDateOfBirth,omitempty"`
}

// ReportedContact is the API's envelope of one contact.
type ReportedContact struct {
	PersonalContact PersonalContact `json:"personalContact"`
}

// PersonalContact is the part of a Contact that the API reports.
type PersonalContact struct {
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Interactions returns s as the Messaging Interactions API would report it if
// LivePerson had received it at that time. The result shares pointers with s.
func (s SDEs) Interactions(at time.Time) Interactions {
	stamp := strconv.FormatInt(at.UnixMilli(), 10)
	events := []Interaction{}
	if !s.CustomerInfo.isBlank() {
		events = append(events, Interaction{
			CustomerInfo:    &CustomerInteraction{ServerTimeStamp: stamp, CustomerInfo: reportCustomer(*s.CustomerInfo)},
			SDEType:         "CUSTOMER_INFO",
			ServerTimeStamp: stamp,
		})
	}
	if !s.PersonalInfo.isBlank() {
		events = append(events, Interaction{
			PersonalInfo:    &PersonalInteraction{ServerTimeStamp: stamp, PersonalInfo: reportPersonal(*s.PersonalInfo)},
			SDEType:         "PERSONAL_INFO",
			ServerTimeStamp: stamp,
		})
	}
	return Interactions{Events: events}
}

func reportCustomer(c CustomerInfo) ReportedCustomer {
	return ReportedCustomer{
		CustomerType:     c.Type,
		CustomerStatus:   c.Status,
		Balance:          c.Balance,
		Currency:         c.Currency,
		CustomerID:       c.CustomerID,
		SocialID:         c.SocialID,
		IMEI:             c.IMEI,
		UserName:         c.UserName,
		CompanySize:      c.CompanySize,
		CompanyBranch:    c.CompanyBranch,
		AccountName:      c.AccountName,
		Role:             c.Role,
		LastPaymentDate:  c.LastPaymentDate,
		RegistrationDate: c.RegistrationDate,
		LoginStatus:      c.LoginStatus,
	}
}

func reportPersonal(p PersonalInfo) ReportedPersonal {
	r := ReportedPersonal{
		Name:     p.FirstName,
		Surname:  p.LastName,
		Gender:   p.Gender,
		Language: p.Language,
		Company:  p.Company,
	}
	if a := p.Age; a != nil {
		r.Age = &ReportedAge{
			CustomerAgeInYears:   a.Age,
			CustomerYearOfBirth:  a.Year,
			CustomerMonthOfBirth: a.Month,
			CustomerDateOfBirth:  a.Day,
		}
	}
	for _, c := range p.Contacts {
		if c.Email == "" && c.Phone == "" {
			continue
		}
		r.Contacts = append(r.Contacts, ReportedContact{PersonalContact{Email: c.Email, Phone: c.Phone}})
	}
	return r
}

package inspect

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"idpbridge/claims"
)

// AgentField is one line of what an agent sees of a customer.
type AgentField struct {
	Where string `json:"where"` // Consumer info or Personal info
	Label string `json:"label"`
	Value string `json:"value"`
	From  string `json:"from"` // the claim, or the field of lp_sdes; both where they agree
}

// The sections of an agent's view.
const (
	consumerInfo = "Consumer info"
	personalInfo = "Personal info"
)

// view collects lines.
type view []AgentField

// line adds a line, or another origin to one that says the same.
func (v *view) line(where, label, value, from string) {
	if value == "" {
		return
	}
	value = printable(value)
	for i, s := range *v {
		if s.Where == where && s.Label == label && s.Value == value {
			(*v)[i].From += " and " + from
			return
		}
	}
	*v = append(*v, AgentField{Where: where, Label: label, Value: value, From: from})
}

// seen is what an agent sees. For Customer ID, User Name, IMEI, Name, Email and
// Gender the labels are those of LivePerson's documentation; for the rest, which
// it does not label, they are the names of the fields in words.
func seen(sub string, s claims.Standard, told sdes) []AgentField {
	v := view{}
	c, at := told.customer(), told.customerPath
	v.line(consumerInfo, "Customer ID", sub, "sub")
	v.line(consumerInfo, "Customer ID", c.CustomerID, at+".customerId")
	v.line(consumerInfo, "User Name", s.PreferredUsername, "preferred_username")
	v.line(consumerInfo, "User Name", c.UserName, at+".userName")
	v.line(consumerInfo, "IMEI", s.PhoneNumber, "phone_number")
	v.line(consumerInfo, "IMEI", c.IMEI, at+".imei")
	v.customer(c, at)
	p, at := told.personal(), told.personalPath
	v.line(personalInfo, "Name", strings.TrimSpace(s.GivenName+" "+s.FamilyName), names("given_name", s.GivenName, "family_name", s.FamilyName))
	v.line(personalInfo, "Name", strings.TrimSpace(p.FirstName+" "+p.LastName), names(at+".firstname", p.FirstName, at+".lastname", p.LastName))
	v.line(personalInfo, "Email", s.Email, "email")
	for i, contact := range p.Contacts {
		v.line(personalInfo, "Email", contact.Email, at+".contacts["+count(i)+"].email")
	}
	v.line(personalInfo, "Gender", strings.ToUpper(s.Gender), "gender")
	v.line(personalInfo, "Gender", p.Gender, at+".gender")
	v.personal(p, at)
	return v
}

func (v *view) customer(c claims.CustomerInfo, at string) {
	balance := ""
	if c.Balance != nil {
		balance = strconv.FormatFloat(*c.Balance, 'f', -1, 64)
	}
	for _, row := range [][3]string{
		{"Type", c.Type, "ctype"},
		{"Status", c.Status, "cstatus"},
		{"Balance", balance, "balance"},
		{"Currency", c.Currency, "currency"},
		{"Social ID", c.SocialID, "socialId"},
		{"Company Size", number(c.CompanySize), "companySize"},
		{"Company Branch", c.CompanyBranch, "companyBranch"},
		{"Account Name", c.AccountName, "accountName"},
		{"Role", c.Role, "role"},
		{"Last Payment Date", date(c.LastPaymentDate), "lastPaymentDate"},
		{"Registration Date", date(c.RegistrationDate), "registrationDate"},
		{"Login Status", number(c.LoginStatus), "loginStatus"},
	} {
		v.line(consumerInfo, row[0], row[1], at+"."+row[2])
	}
}

func (v *view) personal(p claims.PersonalInfo, at string) {
	if a := p.Age; a != nil {
		v.line(personalInfo, "Age", number(a.Age), at+".age.age")
		var birth []string
		for _, n := range []int{a.Day, a.Month, a.Year} {
			if n != 0 {
				birth = append(birth, strconv.Itoa(n))
			}
		}
		v.line(personalInfo, "Date of Birth", strings.Join(birth, "."), at+".age")
	}
	for i, c := range p.Contacts {
		from := at + ".contacts[" + count(i) + "]"
		phone := c.Phone
		if phone != "" && c.PhoneType != "" {
			phone += " (" + c.PhoneType + ")"
		}
		v.line(personalInfo, "Phone", phone, from+".phone")
		if c.Address != nil {
			v.line(personalInfo, "Address", strings.Trim(c.Address.Region+", "+c.Address.Country, ", "), from+".address")
		}
	}
	v.line(personalInfo, "Language", p.Language, at+".language")
	v.line(personalInfo, "Company", p.Company, at+".company")
}

// names lists which of two origins gave something.
func names(first, a, second, b string) string {
	switch {
	case a == "":
		return second
	case b == "":
		return first
	}
	return first + ", " + cmp.Or(second[strings.LastIndexByte(second, '.')+1:], second)
}

func number(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func date(d *claims.Date) string {
	if d == nil || *d == (claims.Date{}) {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", d.Day, d.Month, d.Year)
}

package inspect

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"idpbridge/claims"
)

// AgentField is one line of what an agent sees about a customer.
type AgentField struct {
	Where string `json:"where"` // Consumer info or Personal info
	Label string `json:"label"`
	Value string `json:"value"`
	From  string `json:"from"` // the claim or the field of lp_sdes; both if they agree
}

// The sections of an agent's view.
const (
	consumerInfo = "Consumer info"
	personalInfo = "Personal info"
)

// agentView collects what an agent sees.
type agentView []AgentField

// addField adds a line. If the same line is already there, it adds the origin to it.
func (v *agentView) addField(where, label, value, from string) {
	if value == "" {
		return
	}
	value = quoteInvisible(value)
	for i, f := range *v {
		if f.Where == where && f.Label == label && f.Value == value {
			(*v)[i].From += " and " + from
			return
		}
	}
	*v = append(*v, AgentField{Where: where, Label: label, Value: value, From: from})
}

// listAgentFields returns what an agent sees. LivePerson documents the labels Customer
// ID, User Name, IMEI, Name, Email and Gender. The others are field names in words.
func listAgentFields(subject string, s claims.Standard, attributes sdes) []AgentField {
	v := agentView{}
	customer, at := attributes.customer(), attributes.customerPath
	v.addField(consumerInfo, "Customer ID", subject, "sub")
	v.addField(consumerInfo, "Customer ID", customer.CustomerID, at+".customerId")
	v.addField(consumerInfo, "User Name", s.PreferredUsername, "preferred_username")
	v.addField(consumerInfo, "User Name", customer.UserName, at+".userName")
	v.addField(consumerInfo, "IMEI", s.PhoneNumber, "phone_number")
	v.addField(consumerInfo, "IMEI", customer.IMEI, at+".imei")
	v.addCustomerInfo(customer, at)

	personal, at := attributes.personal(), attributes.personalPath
	v.addField(personalInfo, "Name", strings.TrimSpace(s.GivenName+" "+s.FamilyName),
		joinOrigins("given_name", s.GivenName, "family_name", s.FamilyName))
	v.addField(personalInfo, "Name", strings.TrimSpace(personal.FirstName+" "+personal.LastName),
		joinOrigins(at+".firstname", personal.FirstName, at+".lastname", personal.LastName))
	v.addField(personalInfo, "Email", s.Email, "email")
	for i, contact := range personal.Contacts {
		v.addField(personalInfo, "Email", contact.Email, at+".contacts["+strconv.Itoa(i)+"].email")
	}
	v.addField(personalInfo, "Gender", strings.ToUpper(s.Gender), "gender")
	v.addField(personalInfo, "Gender", personal.Gender, at+".gender")
	v.addPersonalInfo(personal, at)
	return v
}

func (v *agentView) addCustomerInfo(c claims.CustomerInfo, at string) {
	balance := ""
	if c.Balance != nil {
		balance = strconv.FormatFloat(*c.Balance, 'f', -1, 64)
	}
	for _, row := range []struct{ label, value, field string }{
		{"Type", c.Type, "ctype"},
		{"Status", c.Status, "cstatus"},
		{"Balance", balance, "balance"},
		{"Currency", c.Currency, "currency"},
		{"Social ID", c.SocialID, "socialId"},
		{"Company Size", formatInt(c.CompanySize), "companySize"},
		{"Company Branch", c.CompanyBranch, "companyBranch"},
		{"Account Name", c.AccountName, "accountName"},
		{"Role", c.Role, "role"},
		{"Last Payment Date", formatDate(c.LastPaymentDate), "lastPaymentDate"},
		{"Registration Date", formatDate(c.RegistrationDate), "registrationDate"},
		{"Login Status", formatInt(c.LoginStatus), "loginStatus"},
	} {
		v.addField(consumerInfo, row.label, row.value, at+"."+row.field)
	}
}

func (v *agentView) addPersonalInfo(p claims.PersonalInfo, at string) {
	if a := p.Age; a != nil {
		v.addField(personalInfo, "Age", formatInt(a.Age), at+".age.age")
		var birth []string
		for _, n := range []int{a.Day, a.Month, a.Year} {
			if n != 0 {
				birth = append(birth, strconv.Itoa(n))
			}
		}
		v.addField(personalInfo, "Date of Birth", strings.Join(birth, "."), at+".age")
	}
	for i, c := range p.Contacts {
		from := at + ".contacts[" + strconv.Itoa(i) + "]"
		phone := c.Phone
		if phone != "" && c.PhoneType != "" {
			phone += " (" + c.PhoneType + ")"
		}
		v.addField(personalInfo, "Phone", phone, from+".phone")
		if c.Address != nil {
			address := strings.Trim(c.Address.Region+", "+c.Address.Country, ", ")
			v.addField(personalInfo, "Address", address, from+".address")
		}
	}
	v.addField(personalInfo, "Language", p.Language, at+".language")
	v.addField(personalInfo, "Company", p.Company, at+".company")
}

// joinOrigins lists the origins of a value that has two parts; one with an empty part
// is left out.
func joinOrigins(first, firstValue, second, secondValue string) string {
	if firstValue == "" {
		return second
	}
	if secondValue == "" {
		return first
	}
	return first + ", " + cmp.Or(second[strings.LastIndexByte(second, '.')+1:], second)
}

func formatInt(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func formatDate(d *claims.Date) string {
	if d == nil || *d == (claims.Date{}) {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", d.Day, d.Month, d.Year)
}

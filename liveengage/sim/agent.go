package sim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"idpbridge/claims"
)

func (s *Simulator) registerAgent(mux *http.ServeMux) {
	mux.HandleFunc("GET /agent", s.showConversations)
	mux.HandleFunc("GET /agent/{conversation}", s.showConversation)
	mux.HandleFunc("POST /agent/{conversation}/answer", s.sendAsAgent)
	mux.HandleFunc("POST /agent/{conversation}/close", s.closeAsAgent)
}

// widgetField is a field of a widget. Secure means that it came from a verified token.
type widgetField struct {
	Label, Value, From string
	Secure             bool
}

// agentConversation is a conversation as an agent sees it.
type agentConversation struct {
	ID, Name, Type, Provider string
	Started, Last            string
	SteppedUp, Closed        bool
	Authenticated            bool
	Messages                 []agentMessage
	Consumer, Personal       []widgetField
	Access, AccessEnds       string
	CanRenew, CanDelegate    bool
}

type agentMessage struct {
	Agent    bool
	Text, At string
}

func (s *Simulator) showConversations(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	all := s.conversations.newestFirst()
	out := make([]agentConversation, 0, len(all))
	for _, c := range all {
		out = append(out, s.viewConversation(c))
	}
	s.mu.Unlock()
	s.renderPage(w, r, page{name: "agents", data: out})
}

func (s *Simulator) showConversation(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	c, ok := s.conversations.get(r.PathValue("conversation"))
	var seen agentConversation
	if ok {
		seen = s.viewConversation(c)
	}
	s.mu.Unlock()
	if !ok {
		s.renderError(w, r, http.StatusNotFound, "Conversation not found. The simulator forgets conversations when it stops.")
		return
	}
	s.renderPage(w, r, page{name: "agent", data: seen})
}

// viewConversation returns what an agent sees. The caller holds the mutex.
func (s *Simulator) viewConversation(conv *conversation) agentConversation {
	out := agentConversation{
		ID:        conv.ID,
		Name:      "Visitor",
		Type:      visitorMethod,
		Started:   formatTime(conv.Started),
		SteppedUp: !conv.SteppedUp.IsZero(),
		Closed:    conv.Closed,
	}
	if p, ok := s.consumers.get(conv.Consumer); ok {
		out.Type, out.Authenticated = p.Method, p.Authenticated
		if p.Authenticated {
			out.Name = p.Identity.displayName()
			out.Consumer, out.Personal = p.Identity.consumerInfo(), p.Identity.personalInfo()
			for _, c := range s.connectors {
				if c.ID == p.ConnectorID {
					out.Provider = c.Configuration.IssuerDisplayName
				}
			}
		}
		out.setTokens(p.BotTokens)
		out.CanRenew = p.BotTokens.Refresh != ""
	}
	if conv.BotTokens.Access != "" {
		out.setTokens(conv.BotTokens)
	}
	for _, c := range s.connectors {
		out.CanDelegate = out.CanDelegate || c.Delegates() && !out.Authenticated
	}
	for _, l := range conv.Messages {
		out.Messages = append(out.Messages, agentMessage{Agent: l.Agent, Text: l.Text, At: l.At.UTC().Format("15:04:05")})
		out.Last = l.Text
	}
	return out
}

func (a *agentConversation) setTokens(k botTokens) {
	if k.Access == "" {
		return
	}
	a.Access, a.AccessEnds = shortenSecret(k.Access), "unknown"
	if !k.Expires.IsZero() {
		a.AccessEnds = formatTime(k.Expires)
	}
}

func (s *Simulator) sendAsAgent(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("conversation")
	if _, ok := s.addMessage(id, "", true, strings.TrimSpace(r.PostFormValue("text"))); !ok {
		s.renderError(w, r, http.StatusConflict,
			"The message could not be sent. The conversation must be open, and a message needs 1 to 8192 bytes of text.")
		return
	}
	redirectTo(w, r, "/agent/"+id)
}

func (s *Simulator) closeAsAgent(w http.ResponseWriter, r *http.Request) {
	s.closeConversation(r.PathValue("conversation"))
	redirectTo(w, r, "/agent")
}

// displayName is the name an agent sees. LiveEngage does not show the claim name.
func (i identity) displayName() string {
	first, last := i.GivenName, i.FamilyName
	if p := i.SDEs.PersonalInfo; p != nil && p.FirstName+p.LastName != "" {
		first, last = p.FirstName, p.LastName
	}
	if name := strings.TrimSpace(first + " " + last); name != "" {
		return name
	}
	return i.Subject
}

// widgetFields are the fields of a widget, without empty ones and duplicates.
type widgetFields []widgetField

func (f *widgetFields) addField(label, from, value string) {
	if value == "" {
		return
	}
	for _, old := range *f {
		if old.Label == label && old.Value == value {
			return
		}
	}
	*f = append(*f, widgetField{Label: label, Value: value, From: from, Secure: true})
}

// consumerInfo returns the Consumer Info widget: lp_sdes first, then the standard
// claims that LiveEngage maps there. If both have a value, it shows both, because it is
// unknown which one LiveEngage uses.
func (i identity) consumerInfo() []widgetField {
	var out widgetFields
	c := i.SDEs.CustomerInfo
	if c == nil {
		c = &claims.CustomerInfo{}
	}
	out.addField("Customer ID", "lp_sdes", c.CustomerID)
	out.addField("Customer ID", "sub", i.Subject)
	out.addField("User name", "lp_sdes", c.UserName)
	out.addField("User name", "preferred_username", i.PreferredUsername)
	out.addField("Type", "lp_sdes", c.Type)
	out.addField("Status", "lp_sdes", c.Status)
	if c.Balance != nil {
		out.addField("Balance", "lp_sdes", strconv.FormatFloat(*c.Balance, 'f', -1, 64)+" "+c.Currency)
	} else {
		out.addField("Currency", "lp_sdes", c.Currency)
	}
	out.addField("Social ID", "lp_sdes", c.SocialID)
	out.addField("IMEI", "lp_sdes", c.IMEI)
	out.addField("IMEI", "phone_number", i.PhoneNumber)
	out.addField("Company size", "lp_sdes", formatInt(c.CompanySize))
	out.addField("Company branch", "lp_sdes", c.CompanyBranch)
	out.addField("Account name", "lp_sdes", c.AccountName)
	out.addField("Role", "lp_sdes", c.Role)
	out.addField("Last payment", "lp_sdes", formatDate(c.LastPaymentDate))
	out.addField("Registration", "lp_sdes", formatDate(c.RegistrationDate))
	out.addField("Login status", "lp_sdes", formatInt(c.LoginStatus))
	return out
}

// personalInfo returns the Personal Info widget.
func (i identity) personalInfo() []widgetField {
	var out widgetFields
	p := i.SDEs.PersonalInfo
	if p == nil {
		p = &claims.PersonalInfo{}
	}
	out.addField("First name", "lp_sdes", p.FirstName)
	out.addField("First name", "given_name", i.GivenName)
	out.addField("Last name", "lp_sdes", p.LastName)
	out.addField("Last name", "family_name", i.FamilyName)
	if a := p.Age; a != nil {
		out.addField("Age", "lp_sdes", formatInt(a.Age))
		if a.Year != 0 {
			born := strconv.Itoa(a.Year)
			if a.Month != 0 && a.Day != 0 {
				born = fmt.Sprintf("%d-%02d-%02d", a.Year, a.Month, a.Day)
			}
			out.addField("Born", "lp_sdes", born)
		}
	}
	out.addField("Gender", "lp_sdes", p.Gender)
	if p.Gender == "" || !strings.EqualFold(p.Gender, i.Gender) {
		out.addField("Gender", "gender", i.Gender)
	}
	for _, c := range p.Contacts {
		out.addField("Email", "lp_sdes", c.Email)
		out.addField("Phone", "lp_sdes", strings.TrimSpace(c.Phone+" "+strings.ToLower(c.PhoneType)))
		if c.Address != nil {
			out.addField("Address", "lp_sdes", strings.Trim(c.Address.Region+", "+c.Address.Country, ", "))
		}
	}
	out.addField("Email", "email", i.Email)
	out.addField("Language", "lp_sdes", p.Language)
	out.addField("Company", "lp_sdes", p.Company)
	return out
}

func formatInt(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func formatDate(d *claims.Date) string {
	if d == nil {
		return ""
	}
	return time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC).Format("2 January 2006")
}

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
	mux.HandleFunc("GET /agent", s.showTalks)
	mux.HandleFunc("GET /agent/{talk}", s.showTalk)
	mux.HandleFunc("POST /agent/{talk}/answer", s.sayAsAgent)
	mux.HandleFunc("POST /agent/{talk}/close", s.closeAsAgent)
}

// Row is a field of a widget. Secure says that it came with a verified token.
type Row struct {
	Label, Value, From string
	Secure             bool
}

// agentTalk is a conversation as an agent sees it.
type agentTalk struct {
	ID, Name, Type, Provider string
	Started, Last            string
	SteppedUp, Closed        bool
	Authenticated            bool
	Lines                    []agentLine
	Consumer, Personal       []Row
	Access, AccessEnds       string
	CanRenew, CanDelegate    bool
}

type agentLine struct {
	Agent    bool
	Text, At string
}

func (s *Simulator) showTalks(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	all := s.talks.newest()
	out := make([]agentTalk, 0, len(all))
	for _, t := range all {
		out = append(out, s.asSeen(t))
	}
	s.mu.Unlock()
	s.show(w, r, view{name: "agents", page: out})
}

func (s *Simulator) showTalk(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	t, ok := s.talks.get(r.PathValue("talk"))
	var seen agentTalk
	if ok {
		seen = s.asSeen(t)
	}
	s.mu.Unlock()
	if !ok {
		s.sorry(w, r, http.StatusNotFound, "There is no such conversation; the simulator forgets them when it stops.")
		return
	}
	s.show(w, r, view{name: "agent", page: seen})
}

// asSeen is a conversation as the agent sees it. The caller holds the mutex.
func (s *Simulator) asSeen(t *talk) agentTalk {
	out := agentTalk{ID: t.ID, Name: "Visitor", Type: "none: a visitor", Started: utc(t.Started), SteppedUp: !t.SteppedUp.IsZero(), Closed: t.Closed}
	if p, ok := s.consumers.get(t.Consumer); ok {
		out.Type, out.Authenticated = p.Method, p.Authenticated
		if p.Authenticated {
			out.Name = p.Identity.name()
			out.Consumer, out.Personal = p.Identity.consumerInfo(), p.Identity.personalInfo()
			for _, c := range s.connectors {
				if c.ID == p.ConnectorID {
					out.Provider = c.Configuration.IssuerDisplayName
				}
			}
		}
		out.show(p.Kept)
		out.CanRenew = p.Kept.Refresh != ""
	}
	if t.Kept.Access != "" {
		out.show(t.Kept)
	}
	for _, c := range s.connectors {
		out.CanDelegate = out.CanDelegate || c.Delegates() && !out.Authenticated
	}
	for _, l := range t.Lines {
		out.Lines = append(out.Lines, agentLine{Agent: l.Agent, Text: l.Text, At: l.At.UTC().Format("15:04:05")})
		out.Last = l.Text
	}
	return out
}

func (a *agentTalk) show(k kept) {
	if k.Access == "" {
		return
	}
	a.Access, a.AccessEnds = short(k.Access), "unknown"
	if !k.Expires.IsZero() {
		a.AccessEnds = utc(k.Expires)
	}
}

func (s *Simulator) sayAsAgent(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("talk")
	if _, ok := s.say(id, "", true, strings.TrimSpace(r.PostFormValue("text"))); !ok {
		s.sorry(w, r, http.StatusConflict, "That could not be said: the conversation is over, or there was no text of up to 8192 bytes.")
		return
	}
	back(w, r, "/agent/"+id)
}

func (s *Simulator) closeAsAgent(w http.ResponseWriter, r *http.Request) {
	s.close(r.PathValue("talk"))
	back(w, r, "/agent")
}

// name is what the agent calls somebody. The claim name is not shown by LiveEngage.
func (i identity) name() string {
	first, last := i.GivenName, i.FamilyName
	if p := i.SDEs.PersonalInfo; p != nil && p.FirstName+p.LastName != "" {
		first, last = p.FirstName, p.LastName
	}
	if name := strings.TrimSpace(first + " " + last); name != "" {
		return name
	}
	return i.Subject
}

// rows collects a widget's fields and leaves out what is empty or said already.
type rows []Row

func (r *rows) add(label, from, value string) {
	if value == "" {
		return
	}
	for _, old := range *r {
		if old.Label == label && old.Value == value {
			return
		}
	}
	*r = append(*r, Row{Label: label, Value: value, From: from, Secure: true})
}

// consumerInfo is the Consumer Info widget: lp_sdes first, then the standard claims
// that LiveEngage maps there. Where both give a value, which one wins is unknown, so
// both are shown.
func (i identity) consumerInfo() []Row {
	var out rows
	c := i.SDEs.CustomerInfo
	if c == nil {
		c = &claims.CustomerInfo{}
	}
	out.add("Customer ID", "lp_sdes", c.CustomerID)
	out.add("Customer ID", "sub", i.Subject)
	out.add("User name", "lp_sdes", c.UserName)
	out.add("User name", "preferred_username", i.PreferredUsername)
	out.add("Type", "lp_sdes", c.Type)
	out.add("Status", "lp_sdes", c.Status)
	if c.Balance != nil {
		out.add("Balance", "lp_sdes", strconv.FormatFloat(*c.Balance, 'f', -1, 64)+" "+c.Currency)
	} else {
		out.add("Currency", "lp_sdes", c.Currency)
	}
	out.add("Social ID", "lp_sdes", c.SocialID)
	out.add("IMEI", "lp_sdes", c.IMEI)
	out.add("IMEI", "phone_number", i.PhoneNumber)
	out.add("Company size", "lp_sdes", whole(c.CompanySize))
	out.add("Company branch", "lp_sdes", c.CompanyBranch)
	out.add("Account name", "lp_sdes", c.AccountName)
	out.add("Role", "lp_sdes", c.Role)
	out.add("Last payment", "lp_sdes", date(c.LastPaymentDate))
	out.add("Registration", "lp_sdes", date(c.RegistrationDate))
	out.add("Login status", "lp_sdes", whole(c.LoginStatus))
	return out
}

// personalInfo is the Personal Info widget.
func (i identity) personalInfo() []Row {
	var out rows
	p := i.SDEs.PersonalInfo
	if p == nil {
		p = &claims.PersonalInfo{}
	}
	out.add("First name", "lp_sdes", p.FirstName)
	out.add("First name", "given_name", i.GivenName)
	out.add("Last name", "lp_sdes", p.LastName)
	out.add("Last name", "family_name", i.FamilyName)
	if a := p.Age; a != nil {
		out.add("Age", "lp_sdes", whole(a.Age))
		if a.Year != 0 {
			born := strconv.Itoa(a.Year)
			if a.Month != 0 && a.Day != 0 {
				born = fmt.Sprintf("%d-%02d-%02d", a.Year, a.Month, a.Day)
			}
			out.add("Born", "lp_sdes", born)
		}
	}
	out.add("Gender", "lp_sdes", p.Gender)
	if p.Gender == "" || !strings.EqualFold(p.Gender, i.Gender) {
		out.add("Gender", "gender", i.Gender)
	}
	for _, c := range p.Contacts {
		out.add("E-mail", "lp_sdes", c.Email)
		out.add("Phone", "lp_sdes", strings.TrimSpace(c.Phone+" "+strings.ToLower(c.PhoneType)))
		if c.Address != nil {
			out.add("Address", "lp_sdes", strings.Trim(c.Address.Region+", "+c.Address.Country, ", "))
		}
	}
	out.add("E-mail", "email", i.Email)
	out.add("Language", "lp_sdes", p.Language)
	out.add("Company", "lp_sdes", p.Company)
	return out
}

func whole(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func date(d *claims.Date) string {
	if d == nil {
		return ""
	}
	return time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC).Format("2 January 2006")
}

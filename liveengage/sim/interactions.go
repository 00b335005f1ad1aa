package sim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"idpbridge/claims"
)

func (s *Simulator) registerInteractions(mux *http.ServeMux) {
	const base = "POST /messaging_history/api/account/{account}/conversations/"
	mux.HandleFunc(base+"search", func(w http.ResponseWriter, r *http.Request) { s.searchConversations(w, r, "") })
	mux.HandleFunc(base+"conversation/search", s.searchConversation)
}

// searchConversation searches for one conversation by ID.
func (s *Simulator) searchConversation(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ConversationID string `json:"conversationId"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.ConversationID == "" {
		http.Error(w, "conversationId is missing", http.StatusBadRequest)
		return
	}
	s.searchConversations(w, r, body.ConversationID)
}

// searchConversations serves the Messaging Interactions API: all conversations, newest
// first, or the one with this ID. It ignores times and other filters.
func (s *Simulator) searchConversations(w http.ResponseWriter, r *http.Request, id string) {
	version := r.URL.Query().Get("v")
	if !s.requireAuthorization(w, r) {
		return
	}
	if version != "" && version != "1" && version != "2" {
		http.Error(w, "v must be 1 or 2", http.StatusBadRequest)
		return
	}
	records := s.listRecords(id, version == "1")
	writeJSON(w, http.StatusOK, map[string]any{
		"_metadata":                  map[string]int{"count": len(records)},
		"conversationHistoryRecords": records,
	})
}

// listRecords returns copies, so that a slow client does not block others.
func (s *Simulator) listRecords(id string, versionOne bool) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	records := []map[string]any{}
	for _, c := range s.conversations.newestFirst() {
		if id == "" || c.ID == id {
			records = append(records, s.buildRecord(c, versionOne))
		}
	}
	return records
}

// buildRecord returns a conversation. Version 1 of the API has attributes from tokens
// only, and strings instead of numbers. The caller holds the mutex.
func (s *Simulator) buildRecord(c *conversation, versionOne bool) map[string]any {
	p, ok := s.consumers.get(c.Consumer)
	if !ok {
		p = &consumer{Subject: c.Consumer}
	}
	messages := make([]map[string]any, 0, len(c.Messages))
	for _, m := range c.Messages {
		by := "Consumer"
		if m.Agent {
			by = "Agent"
		}
		messages = append(messages, map[string]any{
			"type":        "TEXT_PLAIN",
			"messageData": map[string]any{"msg": map[string]string{"text": m.Text}},
			"seq":         m.Sequence,
			"sentBy":      by,
			"timeL":       m.At.UnixMilli(),
			"dialogId":    c.ID,
		})
	}
	status := "OPEN"
	if c.Closed {
		status = "CLOSE"
	}
	out := map[string]any{
		"info": map[string]any{
			"conversationId": c.ID, "startTimeL": c.Started.UnixMilli(), "status": status, "brandId": s.Account,
		},
		"consumerParticipants": []map[string]any{
			{"participantId": p.Subject, "consumerName": p.Identity.displayName(), "dialogId": c.ID},
		},
		"messageRecords": messages,
	}
	known := p.Identity.mappedSDEs().Interactions(p.Since)
	if versionOne {
		out["sdes"] = withoutNumbers(known)
	} else {
		out["sdes"], out["unAuthSdes"] = known, claims.SDEs{}.Interactions(p.Since)
	}
	return out
}

// withoutNumbers returns v as decoded JSON, with strings instead of numbers.
func withoutNumbers(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var out any
	if decoder.Decode(&out) != nil {
		return nil
	}
	return replaceNumbers(out)
}

func replaceNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case map[string]any:
		for name := range v {
			v[name] = replaceNumbers(v[name])
		}
	case []any:
		for i := range v {
			v[i] = replaceNumbers(v[i])
		}
	}
	return v
}

// mappedSDEs returns lp_sdes, with standard claims in the fields that LiveEngage maps
// them to, unless lp_sdes has a value there.
func (i identity) mappedSDEs() claims.SDEs {
	var c claims.CustomerInfo
	var p claims.PersonalInfo
	if i.SDEs.CustomerInfo != nil {
		c = *i.SDEs.CustomerInfo
	}
	if i.SDEs.PersonalInfo != nil {
		p = *i.SDEs.PersonalInfo
	}
	setDefault := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	genders := map[string]string{"female": claims.GenderFemale, "male": claims.GenderMale, "other": claims.GenderOther}
	setDefault(&c.CustomerID, i.Subject)
	setDefault(&c.UserName, i.PreferredUsername)
	setDefault(&c.IMEI, i.PhoneNumber) // measured: this is where phone_number ends up
	setDefault(&p.FirstName, i.GivenName)
	setDefault(&p.LastName, i.FamilyName)
	setDefault(&p.Gender, genders[strings.ToLower(i.Gender)])
	hasEmail := slices.ContainsFunc(p.Contacts, func(c claims.Contact) bool { return strings.EqualFold(c.Email, i.Email) })
	if i.Email != "" && !hasEmail {
		p.Contacts = append(slices.Clone(p.Contacts), claims.Contact{Email: i.Email})
	}
	return claims.SDEs{CustomerInfo: &c, PersonalInfo: &p}
}

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

// searchConversation is searchTalks for one conversation, by its id.
func (s *Simulator) searchConversation(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ConversationID string `json:"conversationId"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.ConversationID == "" {
		http.Error(w, "conversationId is missing", http.StatusBadRequest)
		return
	}
	s.searchConversations(w, r, in.ConversationID)
}

// searchConversations is the Messaging Interactions API: every conversation, newest first,
// or the one of that id, with what is known of its consumer. Times and the other
// filters of a search are not looked at.
func (s *Simulator) searchConversations(w http.ResponseWriter, r *http.Request, only string) {
	version := r.URL.Query().Get("v")
	if !s.requireBearer(w, r) {
		return
	}
	if version != "" && version != "1" && version != "2" {
		http.Error(w, "v is 1 or 2", http.StatusBadRequest)
		return
	}
	records := s.listRecords(only, version == "1")
	writeJSON(w, http.StatusOK, map[string]any{"_metadata": map[string]int{"count": len(records)}, "conversationHistoryRecords": records})
}

// listRecords are copies: whoever reads the answer slowly must hold nobody up.
func (s *Simulator) listRecords(only string, asText bool) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	records := []map[string]any{}
	for _, t := range s.conversations.newestFirst() {
		if only == "" || t.ID == only {
			records = append(records, s.buildRecord(t, asText))
		}
	}
	return records
}

// buildRecord is one conversation. Version 1 of the API has what came with a token alone,
// and all of it as text. The caller holds the mutex.
func (s *Simulator) buildRecord(t *conversation, asText bool) map[string]any {
	p, ok := s.consumers.get(t.Consumer)
	if !ok {
		p = &consumer{Subject: t.Consumer}
	}
	messages := make([]map[string]any, 0, len(t.Messages))
	for _, l := range t.Messages {
		by := "Consumer"
		if l.Agent {
			by = "Agent"
		}
		messages = append(messages, map[string]any{
			"type": "TEXT_PLAIN", "messageData": map[string]any{"msg": map[string]string{"text": l.Text}},
			"seq": l.Sequence, "sentBy": by, "timeL": l.At.UnixMilli(), "dialogId": t.ID,
		})
	}
	status := "OPEN"
	if t.Closed {
		status = "CLOSE"
	}
	out := map[string]any{
		"info":                 map[string]any{"conversationId": t.ID, "startTimeL": t.Started.UnixMilli(), "status": status, "brandId": s.Account},
		"consumerParticipants": []map[string]any{{"participantId": p.Subject, "consumerName": p.Identity.displayName(), "dialogId": t.ID}},
		"messageRecords":       messages,
	}
	if known := p.Identity.mappedSDEs().Interactions(p.Since); asText {
		out["sdes"] = withoutNumbers(known)
	} else {
		out["sdes"], out["unAuthSdes"] = known, claims.SDEs{}.Interactions(p.Since)
	}
	return out
}

// withoutNumbers is v as JSON has it, with text in place of every number.
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

// mappedSDEs is lp_sdes with the standard claims where LiveEngage puts them, unless
// lp_sdes has something there.
func (i identity) mappedSDEs() claims.SDEs {
	var c claims.CustomerInfo
	var p claims.PersonalInfo
	if i.SDEs.CustomerInfo != nil {
		c = *i.SDEs.CustomerInfo
	}
	if i.SDEs.PersonalInfo != nil {
		p = *i.SDEs.PersonalInfo
	}
	set := func(to *string, value string) {
		if *to == "" {
			*to = value
		}
	}
	set(&c.CustomerID, i.Subject)
	set(&c.UserName, i.PreferredUsername)
	set(&c.IMEI, i.PhoneNumber) // measured: phone_number ends there
	set(&p.FirstName, i.GivenName)
	set(&p.LastName, i.FamilyName)
	set(&p.Gender, map[string]string{"female": claims.GenderFemale, "male": claims.GenderMale, "other": claims.GenderOther}[strings.ToLower(i.Gender)])
	if i.Email != "" && !slices.ContainsFunc(p.Contacts, func(c claims.Contact) bool { return strings.EqualFold(c.Email, i.Email) }) {
		p.Contacts = append(slices.Clone(p.Contacts), claims.Contact{Email: i.Email})
	}
	return claims.SDEs{CustomerInfo: &c, PersonalInfo: &p}
}

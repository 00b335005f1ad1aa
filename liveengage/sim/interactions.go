package sim

import (
	"encoding/json"
	"net/http"

	"idpbridge/claims"
)

func (s *Simulator) registerInteractions(mux *http.ServeMux) {
	const base = "POST /messaging_history/api/account/{account}/conversations/"
	mux.HandleFunc(base+"search", func(w http.ResponseWriter, r *http.Request) { s.searchTalks(w, r, "") })
	mux.HandleFunc(base+"conversation/search", s.searchTalk)
}

// searchTalk is searchTalks for one conversation, by its id.
func (s *Simulator) searchTalk(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ConversationID string `json:"conversationId"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.ConversationID == "" {
		http.Error(w, "conversationId is missing", http.StatusBadRequest)
		return
	}
	s.searchTalks(w, r, in.ConversationID)
}

// searchTalks is the Messaging Interactions API: every conversation, newest first,
// or the one of that id, with what is known of its consumer. Times and the other
// filters of a search are not looked at.
func (s *Simulator) searchTalks(w http.ResponseWriter, r *http.Request, only string) {
	if !s.bears(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	records := []map[string]any{}
	for _, t := range s.talks.newest() {
		if only != "" && t.ID != only {
			continue
		}
		p, ok := s.consumers.get(t.Consumer)
		if !ok {
			p = &consumer{Subject: t.Consumer}
		}
		messages := []map[string]any{}
		for _, l := range t.Lines {
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
		records = append(records, map[string]any{
			"info":                 map[string]any{"conversationId": t.ID, "startTimeL": t.Started.UnixMilli(), "status": status, "brandId": s.Account},
			"consumerParticipants": []map[string]any{{"participantId": p.Subject, "consumerName": p.Identity.name(), "dialogId": t.ID}},
			"messageRecords":       messages,
			"sdes":                 p.Identity.mapped().Interactions(p.Since),
			"unAuthSdes":           claims.SDEs{}.Interactions(p.Since),
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"_metadata": map[string]int{"count": len(records)}, "conversationHistoryRecords": records})
}

// mapped is lp_sdes with the standard claims where LiveEngage puts them, unless
// lp_sdes has something there.
func (i identity) mapped() claims.SDEs {
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
	set(&p.FirstName, i.GivenName)
	set(&p.LastName, i.FamilyName)
	set(&p.Gender, map[string]string{"female": claims.Female, "male": claims.Male, "": ""}[i.Gender])
	if i.PhoneNumber != "" {
		c.IMEI = i.PhoneNumber // measured: phone_number ends there
	}
	if i.Email != "" && len(p.Contacts) == 0 {
		p.Contacts = []claims.Contact{{Email: i.Email}}
	}
	return claims.SDEs{CustomerInfo: &c, PersonalInfo: &p}
}

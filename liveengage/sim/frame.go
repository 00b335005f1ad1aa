package sim

import (
	"bytes"
	"encoding/json"
	"strings"
)

// frame is a request from a consumer. The ID is a string or a number.
type frame struct {
	Kind    string          `json:"kind"`
	ID      json.RawMessage `json:"id"`
	Type    string          `json:"type"`
	Body    json.RawMessage `json:"body"`
	Headers []struct {
		Type string `json:"type"`
		JWT  string `json:"jwt"`
	} `json:"headers"`
}

// requestBody has the members that requests have in their body.
type requestBody struct {
	ConversationID string `json:"conversationId"`
	DialogID       string `json:"dialogId"`
	FromSeq        int    `json:"fromSeq"`
	Event          struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"event"`
}

// conversationID returns the conversation of a request. Its main dialog has the same ID.
func (b requestBody) conversationID() string {
	if b.ConversationID != "" {
		return b.ConversationID
	}
	return b.DialogID
}

// encodeResponse encodes the response to a request. Its reqId is a string, whatever the
// ID was.
func encodeResponse(f frame, kind string, code int, body any) []byte {
	return encodeJSON(map[string]any{
		"kind": "resp", "reqId": strings.Trim(string(f.ID), `"`), "code": code, "type": kind, "body": body,
	})
}

// encodeNotification encodes messages of a conversation.
func encodeNotification(id string, messages []message) []byte {
	changes := make([]map[string]any, 0, len(messages))
	for _, m := range messages {
		role := "CONSUMER"
		if m.Agent {
			role = "ASSIGNED_AGENT"
		}
		changes = append(changes, map[string]any{
			"sequence":           m.Sequence,
			"conversationId":     id,
			"dialogId":           id,
			"serverTimestamp":    m.At.UnixMilli(),
			"originatorMetadata": map[string]string{"role": role},
			"event":              map[string]string{"type": "ContentEvent", "contentType": "text/plain", "message": m.Text},
		})
	}
	return encodeJSON(map[string]any{
		"kind": "notification", "type": "ms.MessagingEventNotification", "body": map[string]any{"changes": changes},
	})
}

// encodeJSON does not escape <, > and &: a text of these would become six times longer.
func encodeJSON(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(v) != nil {
		return []byte(`{"kind":"resp","code":500}`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

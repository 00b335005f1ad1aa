package sim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"idpbridge/liveengage"
	"idpbridge/liveengage/explain"
)

// idpError is a refusal of the idp service, by LivePerson's code.
type idpError struct {
	Code   string // such as 9007
	Detail string // what is wrong with this token or this identity provider
}

// Error implements error.
func (f *idpError) Error() string { return f.Code + ": " + f.Detail }

// idpErrorf is a refusal with what is wrong. It must hold nothing secret.
func idpErrorf(code, format string, args ...any) error {
	return &idpError{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// writeIDPError answers as LivePerson's idp service does: status 500 with the code, as
// text. The member explanation is the simulator's own.
func (s *Simulator) writeIDPError(w http.ResponseWriter, r *http.Request, doing string, err error) {
	f, ok := errors.AsType[*idpError](err)
	if !ok {
		s.Log.ErrorContext(r.Context(), "simulator failed", "error", err)
		f = &idpError{Code: liveengage.CodeServerError, Detail: "the simulator has a fault of its own"}
	}
	// What was handed in may be repeated in a detail; tokens are no matter for logs.
	f = &idpError{Code: f.Code, Detail: redactText(f.Detail)}
	explanation := explainError(f)
	s.idp.note(Exchange{At: s.Now(), Purpose: doing, Answer: "refused with " + f.Code + ": " + explanation, Refused: true})
	s.Log.InfoContext(r.Context(), "refused", "code", f.Code, "detail", f.Detail)
	writeJSON(w, http.StatusInternalServerError, map[string]string{"internalErrorCode": f.Code, "explanation": explanation})
}

// explainError is a fault in sentences: what is wrong here, and what the code means.
func explainError(f *idpError) string {
	text := strings.ToUpper(f.Detail[:1]) + f.Detail[1:] + "."
	e, ok := explain.Lookup(f.Code)
	if !ok {
		return text
	}
	text += " " + e.Meaning
	if len(e.Remedies) > 0 {
		text += " " + e.Remedies[0]
	}
	return text
}

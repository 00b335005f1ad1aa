package sim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"idpbridge/liveengage"
	"idpbridge/liveengage/explain"
)

// idpError is an error response of the idp service.
type idpError struct {
	Code   string // LivePerson's code, such as 9007
	Detail string // what is wrong with this token or this identity provider
}

// Error returns the code and the detail.
func (e *idpError) Error() string { return e.Code + ": " + e.Detail }

// idpErrorf returns an idpError. The detail must not contain secrets.
func idpErrorf(code, format string, args ...any) error {
	return &idpError{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// writeIDPError responds like LivePerson's idp service: with status 500 and the code, as
// a string. The member explanation is the simulator's own.
func (s *Simulator) writeIDPError(w http.ResponseWriter, r *http.Request, purpose string, err error) {
	e, ok := errors.AsType[*idpError](err)
	if !ok {
		s.Log.ErrorContext(r.Context(), "simulator_failed", "error", err)
		e = &idpError{Code: liveengage.CodeServerError, Detail: "the simulator has an internal error"}
	}
	e = &idpError{Code: e.Code, Detail: redactText(e.Detail)} // a detail may quote a token
	explanation := explainError(e)
	s.idp.recordRejection(purpose, e.Code, explanation)
	s.Log.InfoContext(r.Context(), "simulator_rejected", "code", e.Code, "detail", e.Detail)
	body := map[string]string{"internalErrorCode": e.Code, "explanation": explanation}
	writeJSON(w, http.StatusInternalServerError, body)
}

// explainError says in sentences what is wrong, what the code means and how to fix it.
func explainError(e *idpError) string {
	text := strings.ToUpper(e.Detail[:1]) + e.Detail[1:] + "."
	known, ok := explain.Lookup(e.Code)
	if !ok {
		return text
	}
	text += " " + known.Meaning
	if len(known.Remedies) > 0 {
		text += " " + known.Remedies[0]
	}
	return text
}

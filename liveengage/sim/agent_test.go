package sim_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAgentsView(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	c := b.dialSocket(b.requestToken(authenticatePath(implicitID), goodToken(t, b)))
	id := c.openConversation()
	c.sendText(id, "<b>Hello</b>")
	_, _, list := b.call("GET", "/agent", nil)
	require.Contains(t, list, "Jane Doe")
	_, _, text := b.call("GET", "/agent/"+id, nil)
	for _, want := range []string{
		"Jane Doe", "implicit", "gold", "active", "1250.75 USD", "C-1", "jane-sub", "&#43;12125550101",
		"jane@example.com", "secure", "&lt;b&gt;Hello&lt;/b&gt;", "preferred_username",
	} {
		require.Contains(t, text, want)
	}
	require.Less(t, strings.Index(text, "IMEI"), strings.Index(text, "&#43;12125550101"), "phone_number is shown as IMEI")

	visitor := b.signUpVisitor()
	v := b.dialSocket(visitor)
	visitors := v.openConversation()
	v.sendText(visitors, "Are you there?")
	_, _, text = b.call("GET", "/agent/"+visitors, nil)
	require.Contains(t, text, "none: a visitor")
	require.NotContains(t, text, "secure</span>")
	victor := signToken(t, b.idp.claims(map[string]any{"sub": "victor-sub", "given_name": "Victor", "lp_sdes": nil}))
	b.requestToken(authenticatePath(implicitID), map[string]any{"id_token": victor, "step_up": visitor})
	_, _, text = b.call("GET", "/agent/"+visitors, nil)
	require.Contains(t, text, "Victor Doe")
	require.Contains(t, text, "stepped up")
	require.Contains(t, text, "Are you there?", "the conversation continues")
	status, out, _ := b.call("POST", authenticatePath(implicitID), map[string]any{"id_token": victor, "step_up": "abc"})
	require.Equal(t, http.StatusInternalServerError, status)
	require.Equal(t, "9008", out["internalErrorCode"])

	b.submitForm("/agent/"+id+"/close", nil)
	require.EqualValues(t, http.StatusBadRequest, c.sendText(id, "late")["code"])
	require.NotEqual(t, id, c.openConversation(), "a new conversation")
}

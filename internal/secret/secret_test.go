package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"idpbridge/internal/secret"
)

const plain = "hunter2"

// holder has the secret where fmt calls its methods and where it cannot.
type holder struct {
	Exported secret.Value
	Pointer  *secret.Value
	hidden   secret.Value
	List     []secret.Value
}

func newHolder() holder {
	v := secret.New(plain)
	return holder{Exported: v, Pointer: &v, hidden: v, List: []secret.Value{v}}
}

func TestNothingPrintsTheSecret(t *testing.T) {
	t.Parallel()
	v, h := secret.New(plain), newHolder()
	for _, verb := range []string{"%v", "%s", "%+v", "%#v", "%q", "%x", "%X", "%d", "%T"} {
		for _, printed := range []any{v, &v, h, &h, []any{v}, map[string]secret.Value{"a": v}} {
			require.NotContains(t, fmt.Sprintf(verb, printed), plain, verb)
			require.NotContains(t, fmt.Sprintf(verb, printed), fmt.Sprintf("%x", plain), verb)
		}
	}
	require.Equal(t, "[redacted]", fmt.Sprint(v))
	require.Equal(t, "[redacted]", v.String())
	require.NotContains(t, fmt.Errorf("log in with %v: %s", v, v).Error(), plain)

	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("x", "secret", v, "pointer", &v, "holder", h)
	}
	require.NotContains(t, log.String(), plain)
	require.Contains(t, log.String(), "secret=[redacted]")

	raw, err := json.Marshal(h)
	require.NoError(t, err)
	require.NotContains(t, string(raw), plain)
	require.Contains(t, string(raw), `"Exported":"[redacted]"`)

	raw, err = yaml.Marshal(map[string]any{"value": v, "holder": h})
	require.NoError(t, err)
	require.NotContains(t, string(raw), plain)
	require.Contains(t, string(raw), "[redacted]")
}

func TestReveal(t *testing.T) {
	t.Parallel()
	require.Equal(t, plain, secret.New(plain).Reveal())
	require.True(t, secret.New(plain).IsSet())
	require.False(t, secret.New(plain).IsZero())
	require.Equal(t, secret.Value{}, secret.New(""))
	require.Empty(t, secret.Value{}.Reveal())
	require.False(t, secret.Value{}.IsSet())
	require.True(t, secret.Value{}.IsZero())
	require.Equal(t, plain, newHolder().hidden.Reveal())
}

func TestEqual(t *testing.T) {
	t.Parallel()
	v := secret.New(plain)
	require.True(t, v.Equal(plain))
	require.False(t, v.Equal("hunter3"))
	require.False(t, v.Equal("hunter22"))
	require.False(t, v.Equal(""))
	require.False(t, secret.Value{}.Equal(""), "a secret that isn't set matches nothing")
}

func TestReadsJSON(t *testing.T) {
	t.Parallel()
	var got struct {
		Password secret.Value `json:"password"`
		Missing  secret.Value `json:"missing,omitzero"`
	}
	require.NoError(t, json.Unmarshal([]byte(`{"password":"hunter2"}`), &got))
	require.True(t, got.Password.Equal(plain))
	require.False(t, got.Missing.IsSet())
	require.ErrorContains(t, json.Unmarshal([]byte(`{"password":7}`), &got), "number")
	raw, err := json.Marshal(got)
	require.NoError(t, err)
	require.JSONEq(t, `{"password":"[redacted]"}`, string(raw))
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	require.Empty(t, secret.Encodings(""))
	require.Equal(t, []string{"aHVudGVyMg==", "hunter2"}, secret.Encodings("hunter2"))
	require.Equal(t, []string{"aHVudGVyMg==", "hunter2", "YWJj", "abc"}, secret.Encodings("abc", "hunter2"))
	for _, form := range []string{`<a> "`, `<a> \"`, `\u003ca\u003e \"`, "%3Ca%3E+%22", "%3Ca%3E%20%22", "PGE+ICI="} {
		require.Contains(t, secret.Encodings(`<a> "`), form)
	}
}

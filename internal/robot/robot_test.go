package robot_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/robot"
)

// redirectURI is the client's; no robot ever opens it.
const redirectURI = "https://client.example/cb"

// serve returns the URL of a server for a test.
func serve(t *testing.T, pages map[string]http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, handler := range pages {
		mux.HandleFunc(pattern, handler)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// show returns a handler that shows a page.
func show(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

// redirect returns a handler that redirects.
func redirect(status int, to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(status)
	}
}

var jane = robot.Credentials{Username: "jane", Password: "p"} //nolint:gochecknoglobals // read only

// TestSignIn walks through a password page and a consent page to the client.
func TestSignIn(t *testing.T) {
	t.Parallel()
	var got []url.Values
	record := func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			own := r.Header.Get("Origin") == "http://"+r.Host && r.Header.Get("Sec-Fetch-Site") == "same-origin"
			if !own || r.ParseForm() != nil {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			got = append(got, r.PostForm)
			next(w, r)
		}
	}
	issuer := serve(t, map[string]http.HandlerFunc{
		"GET /authorize": func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "c", Value: "1", Path: "/"})
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		},
		"GET /login": show(`<form id=f method=post action="login"><input type=hidden name=request value=x>
			<input name=user><input type=PASSWORD name=secret><input type=submit name=no value=1></form>`),
		"POST /login": record(show(`<form method=POST action="/consent"><input type=hidden name=t value=y>
			<button name=answer value=0>No</button><button name=answer value=1>I agree</button></form>`)),
		"POST /consent": record(func(w http.ResponseWriter, r *http.Request) {
			if _, err := r.Cookie("c"); err == nil {
				redirect(http.StatusSeeOther, redirectURI+"?code=a%20b&state=s")(w, r)
			}
		}),
	})
	response, err := robot.New(nil).SignIn(t.Context(), issuer+"/authorize?x=1", redirectURI, jane)
	require.NoError(t, err)
	require.Equal(t, url.Values{"code": {"a b"}, "state": {"s"}}, response.Values)
	require.Equal(t, robot.ModeQuery, response.Mode)
	require.Equal(t, redirectURI, response.RedirectURI)
	require.Equal(t, []url.Values{
		{"request": {"x"}, "user": {"jane"}, "secret": {"p"}},
		{"t": {"y"}, "answer": {"1"}},
	}, got)
}

// TestSignInThatDoesNotEnd returns an error and does not loop.
func TestSignInThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	passwords := 0
	issuer := serve(t, map[string]http.HandlerFunc{
		"/again": show(`<form method=post action="/again"><button name=b>Again</button></form>`),
		"/wrong": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				passwords++
			}
			_, _ = io.WriteString(w, `<form method=post action="/wrong"><input type=password name=p></form>`)
		},
		"/error": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<p>down</p>")
		},
		"/loop": redirect(http.StatusFound, "/loop"),
		"/huge": func(w http.ResponseWriter, _ *http.Request) {
			for range 5 {
				_, _ = io.WriteString(w, strings.Repeat("a", 1<<20))
			}
		},
		"/action": show(`<form method=post action="http://[x"><input type=password name=p></form>`),
		"/dead": func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		},
	})
	signIn := func(path string) error {
		_, err := robot.New(nil).SignIn(t.Context(), issuer+path, redirectURI, jane)
		return err
	}
	require.ErrorIs(t, signIn("/again"), robot.ErrTooManyPages)
	var rejected *robot.LoginRejectedError
	require.ErrorAs(t, signIn("/wrong"), &rejected)
	require.ErrorContains(t, rejected, `rejected the password of "jane", which was submitted once (status 200)`)
	require.Equal(t, 1, passwords, "more attempts could lock the account")
	require.ErrorIs(t, signIn("/loop"), robot.ErrTooManyRedirects)
	require.ErrorIs(t, signIn("/huge"), robot.ErrBodyTooLarge)
	require.ErrorContains(t, signIn("/action"), "not a URL")
	var ended *robot.PageError
	require.ErrorAs(t, signIn("/error"), &ended)
	require.Equal(t, http.StatusBadGateway, ended.Page.Status)
	require.ErrorContains(t, ended, "status 502): <p>down</p>")
	var unanswered *robot.NoResponseError
	require.ErrorAs(t, signIn("/dead"), &unanswered)
	require.ErrorContains(t, signIn("\x00"), "invalid control character")
}

// TestRedirects: those on the site are followed by GET and reported, one that
// leaves it is not opened.
func TestRedirects(t *testing.T) {
	t.Parallel()
	issuer := serve(t, map[string]http.HandlerFunc{
		"POST /a": redirect(http.StatusTemporaryRedirect, "b?x=1"),
		"GET /b":  redirect(http.StatusFound, "/c"),
		"GET /c":  redirect(http.StatusFound, "https://else.example/x#y=%41"),
		"GET /d":  redirect(http.StatusFound, "http://[x"),
		"GET /e":  redirect(http.StatusOK, "/c"),
	})
	b := robot.New(nil)
	var followed []robot.Redirect
	b.OnRedirect = func(r robot.Redirect) { followed = append(followed, r) }
	page, err := b.Post(t.Context(), issuer+"/a", url.Values{"k": {"v"}})
	require.NoError(t, err)
	require.Equal(t, "https://else.example/x#y=%41", page.Location)
	require.Equal(t, "/c", page.URL.Path)
	require.Len(t, followed, 2)
	require.Equal(t, http.MethodPost, followed[0].Method)
	require.Equal(t, http.StatusTemporaryRedirect, followed[0].Status)
	require.Equal(t, "x=1", followed[1].URL.RawQuery)
	response, ok := page.AuthorizationResponse(redirectURI)
	require.True(t, ok)
	require.Equal(t, robot.ModeFragment, response.Mode)
	require.Equal(t, "A", response.Get("y"))

	_, err = b.Get(t.Context(), issuer+"/d")
	require.ErrorContains(t, err, "http://[x")
	page, err = b.Get(t.Context(), issuer+"/e")
	require.NoError(t, err)
	require.Empty(t, page.Location, "status 200 is not a redirect")

	b.Leaves = func(to *url.URL) bool { return to.Path == "/c" }
	page, err = b.Get(t.Context(), issuer+"/b")
	require.NoError(t, err)
	require.Equal(t, "/c", page.Location)
}

// TestFormPost reads the response that a page posts to the client, with the line
// breaks that a browser sends.
func TestFormPost(t *testing.T) {
	t.Parallel()
	page := &robot.Page{Status: http.StatusOK, Body: `<form method="post" action="` + redirectURI + `">
		<input type="hidden" name="state" value="a&#10;b&#13;c&#13;&#10;d">
		<noscript><button>Go on</button></noscript></form>`}
	response, ok := page.AuthorizationResponse(redirectURI)
	require.True(t, ok)
	require.Equal(t, robot.ModeFormPost, response.Mode)
	require.Equal(t, "a\r\nb\r\nc\r\nd", response.Get("state"))
	_, ok = page.AuthorizationResponse("https://other.example/cb")
	require.False(t, ok)
}

// TestPage reads what checks look at.
func TestPage(t *testing.T) {
	t.Parallel()
	page := &robot.Page{Body: `<!DOCTYPE html><title>T</title><style>s</style><p role=alert>No <b>match</b></p>
		<iframe src=/a sandbox></iframe><iframe></iframe><script>x</script>
		<form id=f action=/go><input name=q value=1></form><button form=f name=b value=2 id=yes>OK</button>`}
	require.Equal(t, "No match", page.AlertText())
	require.Equal(t, "No match", strings.Join(strings.Fields(strings.TrimSuffix(page.Text(), "OK")), " "))
	require.Equal(t, []string{"/a", ""}, page.Attributes("iframe", "src"))
	require.True(t, page.HasAttribute("iframe", "sandbox"))
	require.False(t, page.HasAttribute("iframe", "loading"))
	form := page.Forms()[0]
	require.Equal(t, http.MethodGet, form.Method)
	require.Equal(t, []robot.Button{{Name: "b", Value: "2", ID: "yes", Text: "OK"}}, form.Buttons)
	require.Equal(t, url.Values{"q": {"1"}, "b": {"2"}}, form.Agree())
	require.Equal(t, url.Values{"q": {"1"}}, form.Fields, "the form itself is left as it was")
	_, asks := page.PasswordForm()
	require.False(t, asks)
}

// TestSubmitByGet sends the fields in the query, as browsers do.
func TestSubmitByGet(t *testing.T) {
	t.Parallel()
	site := serve(t, map[string]http.HandlerFunc{
		"GET /{$}": show(`<form action="/found?old=1"><input name=q value="a b"></form>`),
		"GET /found": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.URL.RawQuery)
		},
	})
	b := robot.New(nil)
	page, err := b.Get(t.Context(), site+"/")
	require.NoError(t, err)
	form := page.Forms()[0]
	page, err = b.Submit(t.Context(), page, form, form.Fields)
	require.NoError(t, err)
	require.Equal(t, "q=a+b", page.Body)
}

// TestRefreshURL: a page that continues by itself is like a redirect.
func TestRefreshURL(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`<meta http-equiv="refresh" content="0; url=/b?c=d&amp;e=f#g">`:    "/b?c=d&e=f#g",
		`<META HTTP-EQUIV=Refresh CONTENT="0;URL=https://a.example/;x,y">`: "https://a.example/;x,y",
		`<meta http-equiv="refresh" content="5; url=/later">`:              "",
		`<meta http-equiv="refresh" content="0">`:                          "",
		`<meta http-equiv="content-type" content="0; url=/b">`:             "",
		`http-equiv`: "",
	} {
		require.Equal(t, want, robot.RefreshURL(body), body)
	}
	site := serve(t, map[string]http.HandlerFunc{
		"GET /{$}": show(`<meta http-equiv="refresh" content="0; url=/next">`), "GET /next": show("there"),
	})
	page, err := robot.New(nil).Get(t.Context(), site+"/")
	require.NoError(t, err)
	require.Equal(t, "there", page.Body)
}

package interop_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/chrome"
	"idpbridge/server/servertest"
)

// TestAuthlib: a Flask website with Authlib.
func TestAuthlib(t *testing.T) {
	folder := cacheFolder(t, "authlib-1.9.10")
	python := filepath.Join(folder, "bin", "python")
	if _, err := os.Stat(python); err != nil {
		run(t, folder, "python3", "-m", "venv", folder)
		run(t, folder, python, "-m", "pip", "install", "--quiet", "authlib==1.9.10", "flask==3.1.2", "requests==2.32.5")
	}
	port := freePort(t)
	client := confidential("authlib", "http://127.0.0.1:"+port+"/callback")
	client.RequirePKCE = true
	issuer := startIDP(t, client)
	start(t, "127.0.0.1:"+port, ".", []string{"ISSUER=" + issuer, "CLIENT_SECRET=" + clientSecret, "PORT=" + port},
		python, "flaskapp.py")
	ctx := signInJane(t, "http://127.0.0.1:"+port+"/")
	chrome.WaitForText(ctx, t, "#app", "signed in as "+servertest.JaneSubject+", jane@example.com")
}

// TestSpringBoot: a Spring Boot website with Spring Security's OAuth 2.0 client.
func TestSpringBoot(t *testing.T) {
	run(t, "spring", "mvn", "-q", "-B", "-ntp", "package")
	port := freePort(t)
	base := "http://127.0.0.1:" + port
	client := confidential("spring", base+"/login/oauth2/code/idp")
	client.PostLogoutRedirectURIs = []string{base + "/signed-out"}
	issuer := startIDP(t, client)
	const settings = "--spring.security.oauth2.client."
	const registration, provider = settings + "registration.idp.", settings + "provider.idp."
	jar, err := filepath.Abs("spring/target/app.jar")
	require.NoError(t, err)
	start(t, "127.0.0.1:"+port, t.TempDir(), nil, "java", "-jar", jar, "--server.port="+port, "--server.address=127.0.0.1",
		registration+"client-id=spring", registration+"client-secret="+clientSecret,
		registration+"scope=openid,profile,email", registration+"redirect-uri="+base+"/login/oauth2/code/idp",
		provider+"issuer-uri="+issuer)
	ctx := signInJane(t, base+"/")
	chrome.WaitForText(ctx, t, "#app", "signed in as Jane Alice Doe, jane@example.com")
	chrome.Open(ctx, t, base+"/logout")
	chrome.Click(ctx, t, "button")
	chrome.WaitForText(ctx, t, "#app", "signed out")
	chrome.Open(ctx, t, base+"/")
	chrome.WaitForElement(ctx, t, "#login-submit")
}

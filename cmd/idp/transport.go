package main

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"idpbridge/config"
	"idpbridge/internal/limit"
	"idpbridge/oidc"
	"idpbridge/web"
)

// newHandler returns the public handler with everything that every request
// passes through, and no routes yet.
func newHandler(in *instance) (*echo.Echo, error) {
	issuer, err := url.Parse(in.config.Issuer)
	if err != nil {
		return nil, err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = addressOf(in.config.Proxies)
	e.HTTPErrorHandler = in.showError
	e.Use(
		in.recovered,
		in.metrics.measure,
		doorkeeper(in, issuer),
		bodyLimit(in.config.Limits.Body),
	)
	return e, nil
}

// bodyLimit ends the reading of a body that is too large. A page is shown for one
// whose length says so; whoever reads further answers in their own way.
func bodyLimit(limit int64) echo.MiddlewareFunc {
	return middleware.BodyLimitWithConfig(middleware.BodyLimitConfig{
		Limit: strconv.FormatInt(limit, 10) + "B",
		Skipper: func(c echo.Context) bool {
			if !oidc.ForClients(c.Path()) {
				return false
			}
			r := c.Request()
			r.Body = http.MaxBytesReader(c.Response(), r.Body, limit)
			return true
		},
	})
}

// strictTLS takes TLS 1.2 and newer (RFC 9325).
func strictTLS() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }

// addressOf finds the address of whoever makes a request: the connection's own,
// or what a configured proxy says. IPv6 addresses are cut to their /64, since
// that is what one subscriber has.
func addressOf(proxies []netip.Prefix) echo.IPExtractor {
	extract := echo.ExtractIPDirect()
	if len(proxies) > 0 {
		trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
		for _, p := range proxies {
			mask := net.CIDRMask(p.Bits(), p.Addr().BitLen())
			trust = append(trust, echo.TrustIPRange(&net.IPNet{IP: p.Addr().AsSlice(), Mask: mask}))
		}
		extract = echo.ExtractIPFromXFFHeader(trust...)
	}
	return func(r *http.Request) string {
		text := extract(r)
		if ip, err := netip.ParseAddr(text); err == nil {
			return limit.Address(ip.Unmap())
		}
		return text
	}
}

// doorkeeper lets in what was sent to the issuer's own address over a transport
// as safe as the issuer's. Forwarded headers count from a configured proxy only
// (RFC 9700 section 4.13), and the issuer is never built from a request (RFC
// 8414 section 3.3).
func doorkeeper(in *instance, issuer *url.URL) echo.MiddlewareFunc {
	secure := issuer.Scheme == "https"
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			proxied := fromProxy(r.RemoteAddr, in.config)
			host := r.Host
			if forwarded := r.Header.Get("X-Forwarded-Host"); proxied && forwarded != "" {
				host = forwarded
			}
			if secure {
				proto := r.Header.Get("X-Forwarded-Proto")
				if r.TLS == nil && (!proxied || proto != "" && proto != "https") {
					return in.site.ShowError(c, http.StatusForbidden, web.ErrorPage{
						Title: "Only over https", Happened: "This address is served over https only.",
						Remedy: "Open " + in.config.Issuer + " instead.",
					})
				}
				c.Response().Header().Set("Strict-Transport-Security", "max-age=31536000")
			}
			if !sameHost(host, issuer) {
				if in.dev && r.Method == http.MethodGet {
					return c.Redirect(http.StatusFound, in.config.Issuer+"/")
				}
				return in.site.ShowError(c, http.StatusMisdirectedRequest, web.ErrorPage{
					Title: "Another address", Happened: "This service answers at another address.",
					Remedy: "Open " + in.config.Issuer + " instead. A proxy in front must pass the Host header on.",
				})
			}
			c.Response().Header().Set("X-Content-Type-Options", "nosniff")
			return next(c)
		}
	}
}

// sameHost compares a Host header with the issuer's; the scheme's own port may
// be written or not.
func sameHost(host string, issuer *url.URL) bool {
	suffix := map[string]string{"http": ":80", "https": ":443"}[issuer.Scheme]
	return strings.EqualFold(strings.TrimSuffix(host, suffix), strings.TrimSuffix(issuer.Host, suffix))
}

func fromProxy(remote string, cfg config.Config) bool {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	for _, p := range cfg.Proxies {
		if p.Contains(ap.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// recovered turns a panic into an error, so that one request cannot end the
// others.
func (in *instance) recovered(next echo.HandlerFunc) echo.HandlerFunc {
	return middleware.RecoverWithConfig(middleware.RecoverConfig{
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			in.log.ErrorContext(c.Request().Context(), "panic", "error", err.Error(), "stack", string(stack))
			return echo.NewHTTPError(http.StatusInternalServerError).SetInternal(err)
		},
	})(next)
}

// showError is where every error ends that no handler answered: logged once,
// and shown as a page without its text.
func (in *instance) showError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status := http.StatusInternalServerError
	if he, ok := errors.AsType[*echo.HTTPError](err); ok {
		status = he.Code
	}
	page := web.ErrorPage{Happened: "Something went wrong on our side.", Remedy: "Try again in a moment."}
	switch status {
	case http.StatusNotFound:
		page = web.ErrorPage{Title: "Nothing here", Happened: "There is no page at this address.", Remedy: "Check the address, or go back to where you came from."}
	case http.StatusMethodNotAllowed:
		page = web.ErrorPage{Title: "Not that way", Happened: "This address does not take such a request.", Remedy: "Go back to where you came from and try again."}
	case http.StatusRequestEntityTooLarge:
		page = web.ErrorPage{Title: "Too large", Happened: "The request is too large.", Remedy: "Go back to where you came from and try again."}
	default:
		if c.Request().Context().Err() == nil {
			in.log.ErrorContext(c.Request().Context(), "request failed", "path", c.Path(), "error", err.Error())
		}
	}
	if err := in.site.ShowError(c, status, page); err != nil {
		in.log.ErrorContext(c.Request().Context(), "error page failed", "error", err)
	}
}

// since is the time from a moment to now, for metrics.
func since(now func() time.Time, start time.Time) float64 { return now().Sub(start).Seconds() }

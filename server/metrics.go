package server

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"idpbridge/keys"
	"idpbridge/oidc"
)

// metrics counts what operators watch.
type metrics struct {
	registry *prometheus.Registry
	events   *prometheus.CounterVec
	requests *prometheus.HistogramVec
	now      func() time.Time
}

func newMetrics(ring *keys.Ring, clients []oidc.Client, pendingLogouts func() float64, now func() time.Time) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(), now: now,
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "idp_events_total", Help: "What happened, by event and client; docs/runbook.md lists the events.",
		}, []string{"event", "client"}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "idp_request_seconds", Help: "Time to respond to a request, by route and status.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10},
		}, []string{"route", "status"}),
	}
	age := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "idp_signing_key_age_seconds", Help: "Age of the active RS256 key.",
	}, func() float64 { return secondsSince(now, ring.ActiveKey("RS256").Created) })
	queue := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "idp_logouts_pending", Help: "Clients still to be notified of a sign-out; -1 if the database does not respond.",
	}, pendingLogouts)
	for _, c := range clients {
		m.watchKeysOf(c, ring)
	}
	m.registry.MustRegister(m.events, m.requests, age, queue,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watchKeysOf adds gauges for a client's pinned key and encryption keys.
func (m *metrics) watchKeysOf(c oidc.Client, ring *keys.Ring) {
	if c.PinnedKey != "" {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "idp_pinned_key_age_seconds",
			Help:        "Age of a key that a client pins because it was pasted elsewhere.",
			ConstLabels: prometheus.Labels{"client": c.ID, "kid": c.PinnedKey},
		}, func() float64 {
			key, _ := ring.Key(c.PinnedKey)
			return secondsSince(m.now, key.Created)
		}))
	}
	if c.Encryption != nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "idp_encryption_key_remaining_seconds",
			Help:        "Time until a client has no valid encryption key; negative if it has none, and so gets no ID tokens.",
			ConstLabels: prometheus.Labels{"client": c.ID},
		}, func() float64 { return secondsEncryptable(c.Encryption, m.now()) }))
	}
}

// watchCertificate adds a gauge for the TLS certificate.
func (m *metrics) watchCertificate(c *certificate) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "idp_certificate_remaining_seconds",
		Help: "Time until the TLS certificate expires; negative if it has expired.",
	}, func() float64 { return c.expires().Sub(m.now()).Seconds() }))
}

// secondsEncryptable is the time until no encryption key is valid: infinite if that
// never happens, -1 if none is valid now.
func secondsEncryptable(e *keys.Encrypter, now time.Time) float64 {
	at := now
	for {
		r, ok := e.RecipientAt(at)
		if ok && r.NotAfter.IsZero() {
			return math.Inf(1)
		}
		if ok {
			at = r.NotAfter
			continue
		}
		if at.Equal(now) {
			return -1
		}
		return at.Sub(now).Seconds()
	}
}

// countEvent counts one event; client may be empty.
func (m *metrics) countEvent(name, client string) { m.events.WithLabelValues(name, client).Inc() }

// measureRequests times requests by route. Unknown routes share one label, so that
// callers cannot grow the set.
func (m *metrics) measureRequests(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := m.now()
		err := next(c)
		if err != nil {
			c.Error(err)
		}
		route := c.Path()
		if route == "" || c.Response().Status == http.StatusNotFound {
			route = "other"
		}
		m.requests.WithLabelValues(route, strconv.Itoa(c.Response().Status)).Observe(secondsSince(m.now, start))
		return nil
	}
}

func (m *metrics) newHandler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func secondsSince(now func() time.Time, start time.Time) float64 { return now().Sub(start).Seconds() }

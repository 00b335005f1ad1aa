package main

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

func newMetrics(ring *keys.Ring, clients []oidc.Client, waiting func() float64, now func() time.Time) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(), now: now,
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "idp_events_total", Help: "What happened in sign-ins, by event and client.",
		}, []string{"event", "client"}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "idp_request_seconds", Help: "Time to answer a request, by route and status.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10},
		}, []string{"route", "status"}),
	}
	age := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "idp_signing_key_age_seconds", Help: "Age of the RS256 key that signs now.",
	}, func() float64 { return since(now, ring.ActiveKey("RS256").Created) })
	queue := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "idp_logouts_waiting", Help: "Clients that are yet to be told of a sign-out; -1 where the database does not answer.",
	}, waiting)
	for _, c := range clients {
		m.clientKeys(c, ring)
	}
	m.registry.MustRegister(m.events, m.requests, age, queue,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// clientKeys watches the keys that are a client's own.
func (m *metrics) clientKeys(c oidc.Client, ring *keys.Ring) {
	if c.PinnedKey != "" {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "idp_pinned_key_age_seconds", Help: "Age of a key that a client pins because it was pasted elsewhere.",
			ConstLabels: prometheus.Labels{"client": c.ID, "kid": c.PinnedKey},
		}, func() float64 {
			key, _ := ring.Key(c.PinnedKey)
			return since(m.now, key.Created)
		}))
	}
	if c.Encryption != nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "idp_encryption_seconds_left", Help: "Time until no key is left that a client's ID tokens can be encrypted to; negative: there is none, and no token.",
			ConstLabels: prometheus.Labels{"client": c.ID},
		}, func() float64 { return encryptionLeft(c.Encryption, m.now()) }))
	}
}

// encryptionLeft is the time in seconds until the first moment at which no key is
// valid; infinite where there is none, and not above zero where it is now.
func encryptionLeft(e *keys.Encrypter, now time.Time) float64 {
	at := now
	for {
		r, ok := e.RecipientAt(at)
		switch {
		case ok && r.NotAfter.IsZero():
			return math.Inf(1)
		case ok:
			at = r.NotAfter
		case at.Equal(now):
			return -1
		default:
			return at.Sub(now).Seconds()
		}
	}
}

// event counts one event; client may be empty.
func (m *metrics) event(name, client string) { m.events.WithLabelValues(name, client).Inc() }

// measure times requests by route; unknown routes share one label, so that a
// stranger cannot grow the set.
func (m *metrics) measure(next echo.HandlerFunc) echo.HandlerFunc {
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
		m.requests.WithLabelValues(route, strconv.Itoa(c.Response().Status)).Observe(since(m.now, start))
		return nil
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"idpbridge/config"
	"idpbridge/dev"
	"idpbridge/doctor"
	"idpbridge/internal/netaddr"
	"idpbridge/internal/secret"
	"idpbridge/liveengage"
)

type doctorCommand struct {
	Config     string `help:"Configuration file of the provider." type:"path" placeholder:"FILE"`
	Issuer     string `help:"Issuer of a provider, instead of --config; requires --client." placeholder:"URL"`
	Client     string `help:"Client ID registered for LiveEngage; by default the first in --config." placeholder:"ID"`
	Operations string `help:"URL of the operations listener, or off; by default the configured one." placeholder:"URL"`
	CA         string `name:"ca" help:"PEM file of trusted authorities." type:"existingfile" placeholder:"FILE"`
	Local      bool   `help:"Report what keeps LivePerson from reaching the provider as a note, not as an error."`
	JSON       bool   `name:"json" help:"Print JSON at the end."`

	Authorize     string   `name:"authorization-endpoint" help:"For a provider without discovery." placeholder:"URL"`
	TokenEndpoint string   `name:"token-endpoint" help:"Likewise." placeholder:"URL"`
	KeySet        string   `name:"jwks" help:"Likewise; not needed with --key." placeholder:"URL"`
	RedirectURIs  []string `name:"redirect-uri" sep:"none" help:"Redirect URI to test; repeatable." placeholder:"URI"`
	ResponseTypes []string `name:"response-type" help:"code or id_token; repeatable." placeholder:"TYPE"`

	Key         string            `help:"File with the text of JWT Public Key." type:"existingfile" placeholder:"FILE"`
	Account     string            `help:"LiveEngage account whose public list of connectors to check." placeholder:"N"`
	AccountBase string            `name:"account-base" hidden:"" help:"Base URL of that list." placeholder:"URL"`
	Connector   string            `help:"One of several connectors: ID, name, or position from 1." placeholder:"NAME"`
	Expect      map[string]string `mapsep:"none" help:"Expected connector field; repeatable." placeholder:"FIELD=VALUE"`
}

// Help is printed above the flags.
func (doctorCommand) Help() string {
	return `For example:

    idp doctor --config idp.yaml --account 12345678

Checks a running provider the way LivePerson uses it, and says what to do about
each problem. It signs no one in and changes nothing. The redirect URIs are
LivePerson's, and the response types the configured ones, unless flags name
others. --expect type=2 requires a value in a field of the connector.

With --issuer, the client secret comes from the environment variable IDP_DOCTOR_SECRET; the secrets of
idp dev are known. docs/doctor.md lists every check.

Exit status: 0 no errors, 1 errors, 2 usage error.`
}

// Run checks the provider, and prints each finding as soon as it is made.
func (d doctorCommand) Run(ctx context.Context, p *process) error {
	cfg, err := d.findProvider(p)
	if err != nil {
		return err
	}
	if err := d.applyFlags(&cfg); err != nil {
		return err
	}
	cfg.Now = p.now
	if !d.JSON {
		if err := d.printHeader(p.stdout, cfg); err != nil {
			return err
		}
		cfg.OnFinding = func(f doctor.Finding) { printFinding(p.stdout, f) }
	}
	report := doctor.Run(ctx, cfg)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err := d.printReport(p.stdout, cfg, report); err != nil {
		return err
	}
	if n := report.Totals[doctor.Error]; n > 0 {
		return fmt.Errorf("LivePerson cannot work with %s as it is; errors: %d", cfg.Issuer, n)
	}
	return nil
}

// findProvider returns the provider and the client that the flags name.
func (d doctorCommand) findProvider(p *process) (doctor.Config, error) {
	if d.Config == "" && d.Issuer == "" {
		return doctor.Config{}, usageErrorf("set --config FILE or --issuer URL; see idp doctor --help")
	}
	if d.Config != "" && d.Issuer != "" {
		return doctor.Config{}, usageErrorf("use either --config or --issuer: the configuration has the issuer")
	}
	if d.Config != "" {
		return d.loadConfig(p)
	}
	if d.Client == "" {
		return doctor.Config{}, usageErrorf("--issuer requires --client, the client ID registered for LiveEngage")
	}
	cfg := doctor.Config{
		Issuer:        d.Issuer,
		ClientID:      d.Client,
		ClientSecret:  secret.New(p.getenv("IDP_DOCTOR_SECRET")),
		OperationsURL: d.Operations,
	}
	if !cfg.ClientSecret.IsSet() && loopbackIssuer(d.Issuer) {
		for _, c := range dev.Clients() {
			if c.ID == d.Client {
				cfg.ClientSecret = c.Secret
			}
		}
	}
	return cfg, nil
}

// loadConfig reads the configuration file as idp serve does.
func (d doctorCommand) loadConfig(p *process) (doctor.Config, error) {
	loaded, err := config.Load(d.Config, p.getenv)
	if err != nil {
		return doctor.Config{}, err
	}
	client, err := d.selectClient(loaded.Clients)
	if err != nil {
		return doctor.Config{}, err
	}
	cfg := doctor.Config{
		Issuer:        loaded.Issuer,
		ClientID:      client.ID,
		ClientSecret:  client.Secret,
		OperationsURL: d.Operations,
		JSONRemedy: "Nothing to do for current connectors, which send forms. For an older one, set token_requests: " +
			"form_or_json in the client's liveengage section.",
	}
	if l := client.LiveEngage; l != nil {
		cfg.ExpectedFields = map[string]string{
			"jsMethodName":  l.JSMethod,
			"jsContext":     l.JSContext,
			"rfcCompliance": strconv.FormatBool(l.Dialect != "legacy"),
		}
		cfg.WindowAccount = l.Account
		cfg.AccountRemedy = "Set liveengage.account to the number of your account, and use the code flow: other accounts " +
			"do not have the client secret."
	}
	if cfg.OperationsURL == "" && loaded.Operations != "off" {
		cfg.OperationsURL = "http://" + loaded.Operations
	}
	if client.Profile != "liveengage" {
		cfg.RedirectURIs = client.RedirectURIs
	}
	for _, t := range client.ResponseTypes {
		if isLiveEngageResponseType(t) {
			cfg.ResponseTypes = append(cfg.ResponseTypes, t)
		}
	}
	if len(cfg.ResponseTypes) == 0 {
		return doctor.Config{}, usageErrorf(
			"the client %q has none of the response types that LiveEngage uses, code and id_token", client.ID)
	}
	return cfg, nil
}

// selectClient returns the client of --client, or the first one for LiveEngage.
func (d doctorCommand) selectClient(clients []config.Client) (config.Client, error) {
	for _, c := range clients {
		if c.ID == d.Client || d.Client == "" && c.Profile == "liveengage" {
			return c, nil
		}
	}
	if d.Client != "" {
		return config.Client{}, usageErrorf("%s has no client %q", d.Config, d.Client)
	}
	return config.Client{}, usageErrorf("%s has no client with the profile liveengage; choose one with --client", d.Config)
}

func isLiveEngageResponseType(t string) bool { return t == "code" || t == "id_token" }

// applyFlags checks the other flags, and adds them to the configuration.
func (d doctorCommand) applyFlags(cfg *doctor.Config) error {
	if err := d.checkFlags(*cfg); err != nil {
		return err
	}
	if len(d.RedirectURIs) > 0 {
		cfg.RedirectURIs = d.RedirectURIs
	}
	if len(d.ResponseTypes) > 0 {
		cfg.ResponseTypes = d.ResponseTypes
	}
	if cfg.OperationsURL == "off" {
		cfg.OperationsURL = ""
	}
	cfg.Local, cfg.Connector = d.Local, d.Connector
	cfg.Account, cfg.AccountBaseURL = d.Account, d.AccountBase
	cfg.AuthorizationEndpoint, cfg.TokenEndpoint, cfg.KeySetURL = d.Authorize, d.TokenEndpoint, d.KeySet
	if cfg.WindowAccount == "" && loopbackIssuer(cfg.Issuer) {
		cfg.WindowAccount = cmp.Or(d.Account, dev.Account)
	}
	if cfg.ExpectedFields == nil {
		cfg.ExpectedFields = map[string]string{}
	}
	maps.Copy(cfg.ExpectedFields, d.Expect)
	var err error
	if d.CA != "" {
		if cfg.RootCAs, err = readRoots(d.CA); err != nil {
			return err
		}
	}
	if d.Key != "" {
		cfg.PastedKey, err = readPastedKey(d.Key)
	}
	return err
}

func (d doctorCommand) checkFlags(cfg doctor.Config) error {
	if u, err := url.Parse(cfg.Issuer); err != nil || u.Host == "" {
		return usageErrorf("--issuer %q is not a URL", cfg.Issuer)
	}
	for _, t := range d.ResponseTypes {
		if !isLiveEngageResponseType(t) {
			return usageErrorf("--response-type %q: use code or id_token", t)
		}
	}
	if d.Account != "" && !liveengage.IsAccount(d.Account) {
		return usageErrorf("--account %q is not an account number; write only its digits and letters", d.Account)
	}
	for _, endpoint := range []string{d.Authorize, d.TokenEndpoint, d.KeySet} {
		if u, err := url.Parse(endpoint); endpoint != "" && (err != nil || u.Host == "") {
			return usageErrorf("%q is not the URL of an endpoint", truncate(endpoint))
		}
	}
	if cfg.WindowAccount != "" && d.Account != "" && d.Account != cfg.WindowAccount {
		return usageErrorf("--account is %s, but liveengage.account in the configuration is %s", d.Account, cfg.WindowAccount)
	}
	known := doctor.ConnectorFields()
	for name := range d.Expect {
		if !slices.Contains(known, name) {
			return usageErrorf("--expect %s: connectors have no such field; use one of: %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

func (d doctorCommand) printHeader(out io.Writer, cfg doctor.Config) error {
	line := fmt.Sprintf("Checking %s with the client %s", cfg.Issuer, cfg.ClientID)
	if d.Local {
		line += ", with --local: what keeps LivePerson from reaching it is only a note"
	}
	_, err := fmt.Fprintf(out, "%s.\n\n", line)
	return err
}

// findingIndent is the width of the columns level and code.
const findingIndent = "                               "

func printFinding(out io.Writer, f doctor.Finding) {
	level := string(f.Level)
	if f.Level == doctor.Error {
		level = "ERROR"
	}
	_, _ = fmt.Fprintf(out, "%-5s  %-22s  %s\n", level, f.Code, f.Sentence)
	if f.Level == doctor.OK {
		return
	}
	_, _ = fmt.Fprintf(out, "%sto do: %s\n", findingIndent, f.Remedy)
	if f.Seen != "" {
		_, _ = fmt.Fprintf(out, "%sseen:  %s\n", findingIndent, f.Seen)
	}
}

// printReport prints the totals, or with --json the whole report.
func (d doctorCommand) printReport(out io.Writer, cfg doctor.Config, report doctor.Report) error {
	if d.JSON {
		return printJSON(out, struct {
			Issuer string `json:"issuer"`
			Client string `json:"client"`
			Local  bool   `json:"local"`
			doctor.Report
		}{cfg.Issuer, cfg.ClientID, cfg.Local, report})
	}
	n := report.Totals
	_, err := fmt.Fprintf(out, "\nok: %d, notes: %d, warnings: %d, errors: %d, skipped: %d\n",
		n[doctor.OK], n[doctor.Note], n[doctor.Warn], n[doctor.Error], n[doctor.Skip])
	return err
}

// readPastedKey reads the file of --key. White space at the end, which editors add,
// is not part of the key.
func readPastedKey(file string) (string, error) {
	const maxSize = 64 << 10
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("read --key: %w", err)
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxSize))
	if err != nil {
		return "", fmt.Errorf("read --key: %w", err)
	}
	pasted := strings.TrimRight(string(content), " \t\r\n")
	if pasted == "" {
		return "", usageErrorf("--key %s is empty; it must have the content of the field JWT Public Key", file)
	}
	return pasted, nil
}

// readRoots reads the file of --ca.
func readRoots(file string) (*x509.CertPool, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read --ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(content) {
		return nil, usageErrorf("--ca %s has no PEM certificate", file)
	}
	return roots, nil
}

// loopbackIssuer reports whether an issuer can be that of idp dev, whose secrets are
// known.
func loopbackIssuer(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	return u.Scheme == "http" && netaddr.IsLoopbackIP(u.Hostname())
}

package inspect

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"idpbridge/claims"
)

// sdes is what lp_sdes says as far as it can be read, and where it says so.
// A part that LiveEngage would not read, because its type or its wrapper is
// wrong, counts for faults in its values and is not shown.
type sdes struct {
	claims.SDEs

	customerPath, personalPath string
	customerRead, personalRead bool
}

// customer is what LiveEngage reads of ctmrinfo.
func (s sdes) customer() claims.CustomerInfo {
	if s.CustomerInfo == nil || !s.customerRead {
		return claims.CustomerInfo{}
	}
	return *s.CustomerInfo
}

// personal is what LiveEngage reads of personal.
func (s sdes) personal() claims.PersonalInfo {
	if s.PersonalInfo == nil || !s.personalRead {
		return claims.PersonalInfo{}
	}
	return *s.PersonalInfo
}

// sdes inspects lp_sdes. What is wrong with its shape package claims says; this
// goes on to what it would have said next, had the shape been right.
func (in *inspector) sdes(m map[string]json.RawMessage) sdes {
	raw, ok := m["lp_sdes"]
	if !ok {
		in.missingSDEs(m)
		return sdes{}
	}
	var strict claims.SDEs
	reported := in.shape(raw, json.Unmarshal(raw, &strict), nil, "", "")
	var told sdes
	for _, p := range parts(raw) {
		// The strict reading of this element alone, its type and wrapper mended.
		array, err := json.Marshal([]map[string]any{{"type": p.kind, p.wrapper(): p.body}})
		if err != nil {
			continue
		}
		var again claims.SDEs
		reported = in.shape(raw, json.Unmarshal(array, &again), reported, "lp_sdes[0]."+p.wrapper(), p.path)
		told.take(p)
	}
	in.values(told, reported)
	return told
}

func (in *inspector) missingSDEs(m map[string]json.RawMessage) {
	for name := range m {
		if slices.Contains([]string{"lpsdes", "lpsde", "sdes", "sde", "lpsds"}, wordsOnly(name)) {
			in.add("sdes-misspelt", name, "", "")
			return
		}
	}
	in.add("sdes-missing", "lp_sdes", "", "")
}

// place is what was reported where.
type place struct{ where, problem string }

// shape reports the faults of an error of package claims, at most once each, with
// from at the head of their paths replaced. It returns the list of those reported.
func (in *inspector) shape(raw json.RawMessage, err error, reported []place, from, to string) []place {
	for _, f := range claims.FieldErrors(err) {
		where := f.Field
		if from != "" {
			where = to + strings.TrimPrefix(where, from)
		}
		here := place{where, f.Problem}
		if slices.Contains(reported, here) {
			continue
		}
		reported = append(reported, here)
		if f.Code == claims.DuplicateName {
			continue // scan has found it
		}
		code, remedy := shapeCode(raw, f), f.Remedy
		if f.Code == claims.WrongType && strings.HasSuffix(f.Field, "Date") {
			remedy = "" // that of the kind says which
		}
		in.add(code, where, f.Problem, remedy)
	}
	return reported
}

// shapeCode sorts the faults of package claims into ours.
func shapeCode(raw json.RawMessage, f *claims.FieldError) string {
	last := f.Field[strings.LastIndexAny(f.Field, ".]")+1:]
	below := strings.Count(f.Field, ".") // lp_sdes[0].info.imei has two
	switch {
	case f.Field == "lp_sdes" && kindOf(raw) != "an array":
		return "sdes-not-array"
	case last == "type" && below == 1:
		return "sdes-type"
	case below == 1 || strings.HasSuffix(f.Field, "]") && below == 0:
		return "sdes-wrapper"
	case strings.EqualFold(last, "storeZipCode") || strings.EqualFold(last, "storeNumber"):
		return "sdes-store"
	case f.Code == claims.WrongCase:
		return "sdes-case"
	case last == "gender":
		return "sdes-gender"
	case strings.HasSuffix(last, "Date") || strings.Contains(f.Field, "Date."):
		return "sdes-date"
	}
	return "sdes-field"
}

// part is one attribute as it was probably meant.
type part struct {
	path string // of its fields
	kind string // ctmrinfo or personal
	body map[string]any
	read bool // LiveEngage reads it as it stands
}

func (p part) wrapper() string {
	if p.kind == "ctmrinfo" {
		return "info"
	}
	return "personal"
}

// parts finds the attributes in lp_sdes, also where it is an object, where a
// type is spelt as elsewhere, or where the fields are not within their wrapper.
func parts(raw json.RawMessage) []part {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	if dec.Decode(&tree) != nil {
		return nil
	}
	var out []part
	switch tree := tree.(type) {
	case []any:
		for i, v := range tree {
			if o, ok := v.(map[string]any); ok {
				out = append(out, meant(o, "lp_sdes["+count(i)+"]", true)...)
			}
		}
	case map[string]any:
		if _, ok := tree["type"]; ok {
			return meant(tree, "lp_sdes", false)
		}
		for name, v := range tree {
			if o, ok := v.(map[string]any); ok && kindNamed(name) != "" {
				out = append(out, part{path: member("lp_sdes", name), kind: kindNamed(name), body: o})
			}
		}
		slices.SortFunc(out, func(a, b part) int { return strings.Compare(a.path, b.path) })
	}
	return out
}

// meant reads one element; nothing where it cannot be told what was meant.
func meant(o map[string]any, path string, read bool) []part {
	given, _ := o["type"].(string)
	p := part{kind: kindNamed(given), path: path, read: read && kindNamed(given) == given}
	if p.kind == "" {
		return nil
	}
	if body, ok := o[p.wrapper()].(map[string]any); ok {
		p.path, p.body = path+"."+p.wrapper(), body
		return []part{p}
	}
	p.read = false
	for name, v := range o {
		if body, ok := v.(map[string]any); ok && (kindNamed(name) == p.kind || strings.EqualFold(name, "info") || strings.EqualFold(name, "personal")) {
			p.path, p.body = member(path, name), body
			return []part{p}
		}
	}
	return nil
}

// kindNamed is the type that a name stands for in lp_sdes or elsewhere at
// LivePerson's; empty for another.
func kindNamed(name string) string {
	switch wordsOnly(name) {
	case "ctmrinfo", "customerinfo":
		return "ctmrinfo"
	case "personal", "personalinfo":
		return "personal"
	}
	return ""
}

// take reads the fields that are as they should be; the first of a kind counts.
func (s *sdes) take(p part) {
	if p.kind == "ctmrinfo" && s.CustomerInfo == nil {
		s.CustomerInfo, s.customerPath, s.customerRead = &claims.CustomerInfo{}, p.path, p.read
		lenient(p.body, s.CustomerInfo)
	}
	if p.kind == "personal" && s.PersonalInfo == nil {
		s.PersonalInfo, s.personalPath, s.personalRead = &claims.PersonalInfo{}, p.path, p.read
		lenient(p.body, s.PersonalInfo)
	}
}

// lenient decodes what fits. What does not was reported, and is left zero.
func lenient(body map[string]any, into any) {
	if exact, err := json.Marshal(keep(body, reflect.TypeOf(into).Elem())); err == nil {
		_ = json.Unmarshal(exact, into)
	}
}

// keep drops the members whose names are not exactly those of t, because the
// decoder would take them in any case, and LiveEngage would not.
func keep(v any, t reflect.Type) any {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case []any:
		if t.Kind() != reflect.Slice {
			return v
		}
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = keep(e, t.Elem())
		}
		return out
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return v
		}
		out := map[string]any{}
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if e, ok := v[name]; ok {
				out[name] = keep(e, field.Type)
			}
		}
		return out
	}
	return v
}

// values reports what package claims says of the values, but for fields whose
// shape was reported already.
func (in *inspector) values(told sdes, reported []place) {
	for _, f := range claims.FieldErrors(told.Validate()) {
		where := f.Field
		if rest, ok := strings.CutPrefix(where, "customerInfo"); ok {
			where = told.customerPath + rest
		} else if rest, ok := strings.CutPrefix(where, "personalInfo"); ok {
			where = told.personalPath + rest
		}
		known := slices.ContainsFunc(reported, func(p place) bool { return related(p.where, where) })
		if known || f.Code == claims.ControlCharacter {
			continue
		}
		code := "sdes-value"
		if strings.HasSuffix(where, ".gender") {
			code = "sdes-gender"
		}
		in.add(code, where, f.Problem, f.Remedy)
	}
}

// related reports whether two paths of fields are the same, or one is part of
// the other. The path of a whole attribute, which has one dot, is related to none.
func related(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return strings.Count(a, ".") > 1 && (a == b || strings.HasPrefix(b, a+".") || strings.HasPrefix(b, a+"["))
}

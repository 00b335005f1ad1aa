package inspect

import (
	"encoding/json"
	"slices"
	"strings"

	"idpbridge/claims"
)

// claimSDEs is the claim with LiveEngage's engagement attributes.
const claimSDEs = "lp_sdes"

// sdes is what lp_sdes says, as far as it can be read, and where it says so. Values in
// a part with a wrong type or wrapper are inspected too, but not shown, because
// LiveEngage does not read the part.
type sdes struct {
	claims.SDEs

	customerPath, personalPath     string
	customerIsRead, personalIsRead bool
}

// customer returns what LiveEngage reads from ctmrinfo.
func (s sdes) customer() claims.CustomerInfo {
	if s.CustomerInfo == nil || !s.customerIsRead {
		return claims.CustomerInfo{}
	}
	return *s.CustomerInfo
}

// personal returns what LiveEngage reads from personal.
func (s sdes) personal() claims.PersonalInfo {
	if s.PersonalInfo == nil || !s.personalIsRead {
		return claims.PersonalInfo{}
	}
	return *s.PersonalInfo
}

// addAttribute decodes the valid fields of an attribute. The first of each type counts.
func (s *sdes) addAttribute(a attribute) {
	if a.kind == claims.TypeCustomerInfo && s.CustomerInfo == nil {
		s.CustomerInfo, s.customerPath, s.customerIsRead = &claims.CustomerInfo{}, a.path, a.isRead
		decodeLeniently(a.fields, s.CustomerInfo)
	}
	if a.kind == claims.TypePersonalInfo && s.PersonalInfo == nil {
		s.PersonalInfo, s.personalPath, s.personalIsRead = &claims.PersonalInfo{}, a.path, a.isRead
		decodeLeniently(a.fields, s.PersonalInfo)
	}
}

// inspectSDEs inspects lp_sdes. Package claims reports the problems of its shape and
// stops there. To report the problems behind them too, each attribute is decoded once
// more with type and wrapper corrected.
func (ins *inspector) inspectSDEs(members map[string]json.RawMessage) sdes {
	raw, ok := members[claimSDEs]
	if !ok {
		ins.reportMissingSDEs(members)
		return sdes{}
	}
	reporter := shapeReporter{ins: ins, raw: raw}
	var strict claims.SDEs
	reporter.report(json.Unmarshal(raw, &strict), "", "")
	var found sdes
	for _, a := range findAttributes(raw) {
		corrected, err := json.Marshal([]map[string]any{{"type": a.kind, a.wrapper(): a.fields}})
		if err != nil {
			continue
		}
		strict = claims.SDEs{}
		reporter.report(json.Unmarshal(corrected, &strict), claimSDEs+"[0]."+a.wrapper(), a.path)
		found.addAttribute(a)
	}
	ins.reportValues(found, reporter.reported)
	return found
}

func (ins *inspector) reportMissingSDEs(members map[string]json.RawMessage) {
	for name := range members {
		if slices.Contains([]string{"lpsdes", "lpsde", "sdes", "sde", "lpsds"}, lettersAndDigits(name)) {
			ins.addFinding("sdes-misspelt", name, "", "")
			return
		}
	}
	ins.addFinding("sdes-missing", claimSDEs, "", "")
}

// shapeReporter reports each problem in the shape of lp_sdes once.
type shapeReporter struct {
	ins      *inspector
	raw      json.RawMessage // lp_sdes as it is in the token
	reported []shapeProblem
}

type shapeProblem struct{ where, problem string }

// report reports the problems in an error of package claims. The prefix from of their
// paths is replaced with to.
func (r *shapeReporter) report(err error, from, to string) {
	for _, f := range claims.FieldErrors(err) {
		where := f.Field
		if from != "" {
			where = to + strings.TrimPrefix(where, from)
		}
		p := shapeProblem{where, f.Problem}
		if slices.Contains(r.reported, p) {
			continue
		}
		r.reported = append(r.reported, p)
		if f.Code == claims.DuplicateName {
			continue // scanJSON has reported it
		}
		remedy := f.Remedy
		if f.Code == claims.WrongType && strings.HasSuffix(f.Field, "Date") {
			remedy = "" // the kind has a better one, with an example
		}
		r.ins.addFinding(codeOfShapeProblem(r.raw, f), where, f.Problem, remedy)
	}
}

// codeOfShapeProblem returns the code of the finding for a problem of package claims.
func codeOfShapeProblem(raw json.RawMessage, f *claims.FieldError) string {
	if f.Field == claimSDEs && kindOf(raw) != kindArray {
		return "sdes-not-array"
	}
	name := f.Field[strings.LastIndexAny(f.Field, ".]")+1:]
	depth := strings.Count(f.Field, ".") // lp_sdes[0].info.imei has two dots
	if depth == 1 && name == "type" {
		return "sdes-type"
	}
	if depth == 1 || depth == 0 && strings.HasSuffix(f.Field, "]") {
		return "sdes-wrapper"
	}
	if strings.EqualFold(name, "storeZipCode") || strings.EqualFold(name, "storeNumber") {
		return "sdes-store"
	}
	if f.Code == claims.WrongCase {
		return "sdes-case"
	}
	if name == "gender" {
		return "sdes-gender"
	}
	if strings.HasSuffix(name, "Date") || strings.Contains(f.Field, "Date.") {
		return "sdes-date"
	}
	return "sdes-field"
}

// reportValues reports what package claims says about the values, except for fields
// whose shape was reported already.
func (ins *inspector) reportValues(found sdes, reported []shapeProblem) {
	for _, f := range claims.FieldErrors(found.Validate()) {
		where := f.Field
		if rest, ok := strings.CutPrefix(where, "customerInfo"); ok {
			where = found.customerPath + rest
		} else if rest, ok := strings.CutPrefix(where, "personalInfo"); ok {
			where = found.personalPath + rest
		}
		known := slices.ContainsFunc(reported, func(p shapeProblem) bool { return pathsOverlap(p.where, where) })
		if known || f.Code == claims.ControlCharacter {
			continue
		}
		code := "sdes-value"
		if strings.HasSuffix(where, ".gender") {
			code = "sdes-gender"
		}
		ins.addFinding(code, where, f.Problem, f.Remedy)
	}
}

// pathsOverlap reports whether two paths of fields are equal or one is inside the
// other. The path of a whole attribute has only one dot and overlaps with none.
func pathsOverlap(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return strings.Count(a, ".") > 1 && (a == b || strings.HasPrefix(b, a+".") || strings.HasPrefix(b, a+"["))
}

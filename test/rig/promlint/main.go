// Reads metrics in Prometheus' text format from its standard input, one text after the other, each after a line with its length in
// bytes, and prints a JSON line for each: {"error"} or {"problems":[...],"families":{name:{"type","series"}}}. It is what "promtool check
// metrics" does, without the rest of promtool.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

type family struct {
	Type   string              `json:"type"`
	Help   string              `json:"help"`
	Series int                 `json:"series"`
	Labels map[string][]string `json:"labels"`
}

type answer struct {
	Error    string            `json:"error,omitempty"`
	Problems []string          `json:"problems"`
	Families map[string]family `json:"families"`
}

func check(text []byte) answer {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return answer{Error: err.Error()}
	}
	found := answer{Problems: []string{}, Families: map[string]family{}}
	for name, one := range parsed {
		labels := map[string]map[string]bool{}
		for _, series := range one.GetMetric() {
			for _, label := range series.GetLabel() {
				if labels[label.GetName()] == nil {
					labels[label.GetName()] = map[string]bool{}
				}
				labels[label.GetName()][label.GetValue()] = true
			}
		}
		values := map[string][]string{}
		for label, set := range labels {
			for value := range set {
				values[label] = append(values[label], value)
			}
		}
		found.Families[name] = family{strings.ToLower(one.GetType().String()), one.GetHelp(), len(one.GetMetric()), values}
	}
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil {
		return answer{Error: err.Error()}
	}
	for _, problem := range problems {
		found.Problems = append(found.Problems, problem.Metric+": "+problem.Text)
	}
	return found
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		var size int
		if _, err := fmt.Fscanf(in, "%d\n", &size); err != nil {
			return
		}
		text := make([]byte, size)
		if _, err := io.ReadFull(in, text); err != nil {
			return
		}
		_ = out.Encode(check(text))
	}
}

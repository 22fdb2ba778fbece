{{/* Number of a port: by the first of its variables that the environment of its role has, else its own; empty when there is none. Arguments: port, environments. */}}
{{- define "tars.network.port" -}}
{{- $env := get .environments .port.role | default dict }}
{{- $number := get .port "port" | default 0 }}
{{- range reverse .port.env }}{{ with get $env . }}{{ $number = . }}{{ end }}{{ end }}
{{- with int $number }}{{ . }}{{ end }}
{{- end }}

{{/* Number of the port in a URL. */}}
{{- define "tars.network.urlPort" -}}
{{- $url := urlParse . }}
{{- regexFind ":\\d+$" $url.host | trimPrefix ":" | default (ternary "443" "80" (eq $url.scheme "https")) }}
{{- end }}

{{/*
A NetworkPolicy for each role of files/network.json: it admits what it serves and connects to whom it calls. A rule without peers
would admit everybody, so one whose audience is empty is left out. Arguments: roles, values (networkPolicy of the chart),
environments and selectors (each by role), servicePeers, agentPort, elastic (ports), namespace.
*/}}
{{- define "tars.network" -}}
{{- $values := .values }}
{{- $audiences := dict "services" (concat .servicePeers ($values.services | default list)) "operators" ($values.operators | default list) "metrics" ($values.metrics | default list) }}
{{- $dns := list }}
{{- range $values.dnsPorts }}
{{- $dns = concat $dns (list (dict "protocol" "UDP" "port" (int .)) (dict "protocol" "TCP" "port" (int .))) }}
{{- end }}
{{- range $role, $network := .roles }}
{{- $ingress := list }}
{{- range $served := $network.serves }}
{{- $port := include "tars.network.port" (dict "environments" $.environments "port" $served) }}
{{- $from := list }}
{{- range $served.audiences }}{{ $from = concat $from (get $audiences . | default list) }}{{ end }}
{{- range $served.servers }}{{ $from = append $from (dict "podSelector" (dict "matchLabels" (dict "tars.io/ServerApp" "tars" "tars.io/ServerName" .))) }}{{ end }}
{{- if $port }}
{{- $rule := dict "ports" (list (dict "protocol" "TCP" "port" (int $port))) }}
{{- if has "anyone" $served.audiences }}{{ $ingress = append $ingress $rule }}
{{- else if $from }}{{ $ingress = append $ingress (set $rule "from" $from) }}
{{- end }}
{{- end }}
{{- end }}
{{- $egress := list }}
{{- if $dns }}{{ $egress = append $egress (dict "ports" $dns) }}{{ end }}
{{- range $call := $network.calls }}
{{- $ports := list }}
{{- $to := list }}
{{- if eq $call.to "role" }}
{{- $ports = list (include "tars.network.port" (dict "environments" $.environments "port" $call)) }}
{{- $to = list (dict "podSelector" (dict "matchLabels" (dict "tars.io/ServerApp" "tars" "tars.io/ServerName" $call.server))) }}
{{- else if eq $call.to "api" }}
{{- $ports = $values.apiServer.ports }}
{{- range $values.apiServer.cidrs }}{{ $to = append $to (dict "ipBlock" (dict "cidr" .)) }}{{ end }}
{{- else if eq $call.to "tarsnode" }}
{{- $ports = list $.tarsnodePort }}
{{- $to = list (dict "podSelector" (dict "matchExpressions" (list (dict "key" "tars.io/ServerApp" "operator" "Exists")))) }}
{{- else if eq $call.to "agent" }}
{{- $ports = list $.agentPort }}
{{- else if eq $call.to "elastic" }}
{{- $ports = $.elastic }}
{{- else if eq $call.to "url" }}
{{- with get (get $.environments $role | default dict) $call.env }}{{ $ports = list (include "tars.network.urlPort" .) }}{{ end }}
{{- end }}
{{- $tcp := list }}
{{- range $ports }}{{ if . }}{{ $tcp = append $tcp (dict "protocol" "TCP" "port" (int .)) }}{{ end }}{{ end }}
{{- if eq $call.to "anywhere" }}{{ $egress = append $egress dict }}
{{- else if $tcp }}{{ $egress = append $egress (ternary (dict "ports" $tcp "to" $to) (dict "ports" $tcp) (gt (len $to) 0)) }}
{{- end }}
{{- end }}
{{- $egress = concat $egress (get ($values.egress | default dict) $role | default list) }}
---
{{ toPrettyJson (dict "apiVersion" "networking.k8s.io/v1" "kind" "NetworkPolicy"
  "metadata" (dict "name" (printf "tars-%s" (lower $network.server)) "namespace" $.namespace)
  "spec" (dict "podSelector" (dict "matchLabels" (get $.selectors $role)) "policyTypes" (list "Ingress" "Egress") "ingress" $ingress "egress" $egress)) }}
{{- end }}
{{- end }}

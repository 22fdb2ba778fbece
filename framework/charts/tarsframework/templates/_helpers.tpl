{{- define "tars.registry" -}}
{{- $registry := coalesce .Values.framework.registry .Values.helm.dockerhub.registry }}
{{- if not $registry }}
{{- fail "framework.registry is missing: --set framework.registry=<where \"tarsk8s images push\" put the images> (or helm.dockerhub.registry)" }}
{{- end }}
{{- trimSuffix "/" $registry }}
{{- end }}

{{- define "tars.tag" -}}
{{- coalesce .Values.framework.tag .Values.helm.build.id .Chart.AppVersion }}
{{- end }}

{{- define "tars.image" -}}
{{- printf "%s/tars.framework:%s" (include "tars.registry" .) (include "tars.tag" .) }}
{{- end }}

{{- define "tars.upload" -}}
{{- $registry := coalesce .Values.upload.registry .Values.dockerRegistry }}
{{- if not $registry }}
{{- fail "upload.registry is missing: --set upload.registry=<where images of your services go> (or dockerRegistry)" }}
{{- end }}
{{- trimSuffix "/" $registry }}
{{- end }}

{{- define "tars.elk" -}}
{{- join "," (coalesce .Values.elk.nodes .Values.els.nodes list) }}
{{- end }}

{{/* What is there of a kind, if there is such a kind: chart, apiVersion, kind, namespace. */}}
{{- define "tars.list" -}}
{{- $api := index . 1 }}
{{- $kind := index . 2 }}
{{- if (first .).Capabilities.APIVersions.Has (printf "%s/%s" $api $kind) }}{{ lookup $api $kind (last .) "" | toJson }}{{ else }}{{ dict "items" list | toJson }}{{ end }}
{{- end }}

{{/* A live object, to stay as it is, also without this chart. */}}
{{- define "tars.kept" -}}
{{- $annotations := omit (.metadata.annotations | default dict) "meta.helm.sh/release-name" "meta.helm.sh/release-namespace" }}
{{- $metadata := pick .metadata "name" "namespace" "labels" "finalizers" }}
{{- $_ := set $metadata "annotations" (set $annotations "helm.sh/resource-policy" "keep") }}
---
{{ set (omit . "status") "metadata" $metadata | toJson }}
{{ end }}

{{/* The mounts of a server: a volume that its pods claim, as K8SFramework has for logs, stays in its place when the values say nothing of mounts. */}}
{{- define "tars.mounts" -}}
{{- $claimed := dict }}
{{- range dig "spec" "k8s" "mounts" list .live }}
{{- if or (hasKey .source "tLocalVolume") (hasKey .source "persistentVolumeClaimTemplate") }}{{ $_ := set $claimed .mountPath . }}{{ end }}
{{- end }}
{{- $mounts := list }}
{{- range .mounts }}{{ $mounts = append $mounts (get $claimed .mountPath | default .) }}{{ end }}
{{- toJson $mounts }}
{{- end }}

{{/* A value of the document store, in either spelling. */}}
{{- define "tars.store" -}}
{{- get (index .root.Values "elk") .name | default (get (index .root.Values "els") .name) }}
{{- end }}

{{/* Environment (JSON list) of a role that keeps things in the document store. */}}
{{- define "tars.storeEnv" -}}
{{- $env := list (dict "name" "TARSSTORE_NODES" "value" (include "tars.elk" .)) }}
{{- $secret := include "tars.store" (dict "root" . "name" "secret") }}
{{- if $secret }}
{{- range $name, $key := dict "TARSSTORE_USER" "username" "TARSSTORE_PASSWORD" "password" "TARSSTORE_API_KEY" "apiKey" }}
{{- $env = append $env (dict "name" $name "valueFrom" (dict "secretKeyRef" (dict "name" $secret "key" $key "optional" true))) }}
{{- end }}
{{- end }}
{{- if include "tars.store" (dict "root" . "name" "caSecret") }}
{{- $env = append $env (dict "name" "TARSSTORE_CA" "value" "/etc/tars/store/ca.crt") }}
{{- end }}
{{- toJson $env }}
{{- end }}

{{/* Its mounts (JSON list). */}}
{{- define "tars.storeMounts" -}}
{{- $mounts := list }}
{{- with include "tars.store" (dict "root" . "name" "caSecret") }}
{{- $secret := dict "secretName" . "optional" false "items" (list (dict "key" "ca.crt" "path" "ca.crt")) }}
{{- $mounts = list (dict "name" "store-ca" "mountPath" "/etc/tars/store" "readOnly" true "source" (dict "secret" $secret)) }}
{{- end }}
{{- toJson $mounts }}
{{- end }}

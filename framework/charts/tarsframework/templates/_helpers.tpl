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

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

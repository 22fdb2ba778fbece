{{- define "tars.namespace" -}}tars-system{{- end }}

{{- define "tars.image" -}}
{{- $registry := coalesce .Values.controller.registry .Values.helm.dockerhub.registry }}
{{- if not $registry }}
{{- fail "controller.registry is missing: --set controller.registry=<where \"tarsk8s images push\" put the images> (or helm.dockerhub.registry)" }}
{{- end }}
{{- printf "%s/tars.framework:%s" (trimSuffix "/" $registry) (coalesce .Values.controller.tag .Values.helm.build.id .Chart.AppVersion) }}
{{- end }}

{{/* Where pods of a part may run, and what goes before them. */}}
{{- define "tars.scheduling" -}}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

/**
 * A terminal server that shows the agent and nothing else; no key is taken from it. Its log is the run's, through a
 * link of a plain name beside it, since the program replaces percent and dollar signs in names.
 */
export const SCREEN_CONFIG = `startup_message off
vbell off
msgwait 0
deflogin off
defutf8 on
defscrollback 20000
defflow off
altscreen on
autodetach on
defnonblock on
term screen-256color
shell /bin/sh
hardstatus ignore
escape ""
unbindall
maxwin 1
logtstamp off
logfile output.log
logfile flush 0
deflog on
`

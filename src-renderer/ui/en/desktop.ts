/** The words that only the desktop app says. */
export const desktop = {
  settings: {
    background: 'In the background',
    login: 'Open Icebox when you log in',
    close: 'Stay in the tray when the window is closed',
    notices: 'Notifications',
    noticesFor: { all: 'All', attention: 'Only what needs you', none: 'None' },
    shortcut: 'Key that shows the window from anywhere',
    noShortcut: 'None',
    end: 'Quitting, sleep and shutdown',
    quit: 'Running bottles when you quit',
    quitBy: { ask: 'Ask', leave: 'Leave running', freeze: 'Freeze' },
    freeze: {
      freezeOnSleep: 'Freeze running bottles before the computer sleeps',
      freezeOnShutdown: 'Freeze running bottles before the computer shuts down',
      freezeOnLowBattery: 'Freeze running bottles when the battery is low',
    },
    battery: 'The battery is low at so many percent',
    command: 'The icebox command for your terminal',
    install: 'Install…',
    check: 'Check for updates…',
  },
} as const

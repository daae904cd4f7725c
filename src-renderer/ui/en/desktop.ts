/** The words that only the desktop app says. */
export const desktop = {
  settings: {
    background: 'In the background',
    login: 'When you log in',
    loginOn: 'open Icebox',
    close: 'When the window is closed',
    closeOn: 'stay in the tray',
    notices: 'Notifications',
    noticesFor: { all: 'All', attention: 'Only what needs you', none: 'None' },
    shortcut: 'Key that shows the window from anywhere',
    noShortcut: 'None',
    end: 'Quitting, sleep and shutdown',
    quit: 'Running bottles when you quit',
    quitBy: { ask: 'Ask', leave: 'Leave running', freeze: 'Freeze' },
    freeze: {
      freezeOnSleep: 'Before the computer sleeps',
      freezeOnLowBattery: 'When the battery is low',
      freezeOnShutdown: 'Before the computer shuts down',
    },
    freezeOn: 'freeze running bottles',
    command: 'The icebox command',
    install: 'Install…',
    check: 'Check for updates…',
    battery: 'Percent from which on the battery is low',
  },
} as const

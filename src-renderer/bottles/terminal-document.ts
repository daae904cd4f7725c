/**
 * The page's document for the terminal, whose style elements and style attributes go through the object model
 * instead: the content security policy allows no inline style, and loosening it for one library would be the
 * larger evil. Everything else passes through.
 */
export function documentWithoutInlineStyles(): Document {
  return new Proxy(document, {
    get(target, name) {
      if (name === 'createElement') return createElement
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
}

function createElement(tag: string): HTMLElement {
  const element = document.createElement(tag)
  if (tag === 'style') mirrorStyles(element)
  else if (tag === 'span') mirrorStyleAttribute(element)
  return element
}

/** The text of this style element lands in a constructed sheet, which the policy does not concern. */
function mirrorStyles(element: HTMLElement): void {
  const sheet = new CSSStyleSheet()
  document.adoptedStyleSheets.push(sheet)
  const remove = element.remove.bind(element)
  Object.defineProperty(element, 'textContent', {
    get: () => [...sheet.cssRules].map((rule) => rule.cssText).join('\n'),
    set: (text: string) => sheet.replaceSync(text),
  })
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet)
    remove()
  }
}

function mirrorStyleAttribute(element: HTMLElement): void {
  const setAttribute = element.setAttribute.bind(element)
  element.setAttribute = (name, value) => {
    if (name === 'style') element.style.cssText = value
    else setAttribute(name, value)
  }
}

import { useEffect, useRef, useState } from 'react'
import { useApp } from '../state/app.ts'
import { t } from '../ui/en.ts'
import { Icon } from '../ui/icons.tsx'

/** Takes files that are dropped anywhere on the window, and says so while they hover over it. */
export function DropZone() {
  const { transfer, toasts } = useApp()
  const [isOver, setOver] = useState(false)
  // Entering a child leaves its parent, so only the count tells when the window is left.
  const depth = useRef(0)
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true
    const onEnter = (event: DragEvent) => {
      if (!hasFiles(event)) return
      depth.current += 1
      setOver(true)
    }
    const onLeave = (event: DragEvent) => {
      if (!hasFiles(event)) return
      depth.current = Math.max(0, depth.current - 1)
      if (depth.current === 0) setOver(false)
    }
    const onDragOver = (event: DragEvent) => {
      if (!hasFiles(event) || !event.dataTransfer) return
      // Without this the browser would open the file in place of the window.
      event.preventDefault()
      event.dataTransfer.dropEffect = 'copy'
    }
    const onDrop = (event: DragEvent) => {
      depth.current = 0
      setOver(false)
      if (!hasFiles(event)) return
      event.preventDefault()
      const items = [...(event.dataTransfer?.items ?? [])]
      const folders = items.filter((item) => item.webkitGetAsEntry?.()?.isDirectory)
      const files = [...(event.dataTransfer?.files ?? [])]
      if (folders.length > 0 || files.length === 0) {
        toasts.add({ tone: 'bad', title: t.drop.noFile, text: t.drop.text, detail: null, actions: [] })
        return
      }
      void transfer.importFiles(files)
    }
    window.addEventListener('dragenter', onEnter)
    window.addEventListener('dragleave', onLeave)
    window.addEventListener('dragover', onDragOver)
    window.addEventListener('drop', onDrop)
    return () => {
      window.removeEventListener('dragenter', onEnter)
      window.removeEventListener('dragleave', onLeave)
      window.removeEventListener('dragover', onDragOver)
      window.removeEventListener('drop', onDrop)
    }
  }, [transfer, toasts])
  if (!isOver) return null
  return (
    <div className="drop-zone" role="status">
      <div className="drop-card">
        <span className="blank-mark">
          <Icon name="follow" />
        </span>
        <strong>{t.drop.title}</strong>
        <p>{t.drop.text}</p>
      </div>
    </div>
  )
}

/** Opens the file picker of the browser and imports what is chosen. */
export function pickFiles(importFiles: (files: readonly File[]) => Promise<void>): void {
  const input = document.createElement('input')
  input.type = 'file'
  input.multiple = true
  input.addEventListener('change', () => void importFiles([...(input.files ?? [])]))
  input.click()
}

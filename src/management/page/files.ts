import pageText from './index.html?raw'
import styleText from './page.css?raw'
import scriptText from './page.js?raw'

// The files of the status page as texts, so that the package needs none beside its code.
export const page: string = pageText
export const style: string = styleText
export const script: string = scriptText

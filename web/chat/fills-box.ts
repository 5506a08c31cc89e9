/** Whether a picture has the pixels to fill what it stands in; one that has not is shown as it is, and never blown up. */
export const fillsBox = ({ naturalWidth, naturalHeight, parentElement }: HTMLImageElement): boolean =>
  parentElement !== null &&
  naturalWidth >= parentElement.clientWidth &&
  naturalHeight >= parentElement.clientHeight

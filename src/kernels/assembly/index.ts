export { gruBackward, gruForward, lstmBackward, lstmForward, rnnBackward, rnnForward } from './cells'
export { accumulateHistograms, divideRows, findCut, subtractHistograms, sumGradients } from './histogram'
export { accumulateProduct, addPanels, multiply, spread, transpose } from './products'
export { adam, squaredError, sumOfSquares } from './steps'

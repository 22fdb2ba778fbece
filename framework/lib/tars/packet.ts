// Packets of the Tars protocol: framing, request and response layouts, codes (TarsProtocol RequestF.tars, BaseF.tars).
export { TarsCallError, retName } from './packet/call-error.ts'
export { defaultMaxPacketBytes, isVersion, packetType, pingFunction, reconnectMessage, reconnectStatus, ret, version, type Version } from './packet/codes.ts'
export { FrameReader, type FrameSink } from './packet/frames.ts'
export { decodeRequest, encodeRequest, readRequest, writeRequest, type ArrivedRequest, type RequestHead, type RequestPacket } from './packet/request.ts'
export { decodeResponse, encodeResponse, readResponse, writeResponse, type ResponseHead, type ResponsePacket } from './packet/response.ts'
export { noTexts, type Texts } from './packet/texts.ts'

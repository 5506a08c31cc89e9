import type { Scope } from '../../src/shared/scopes.ts'

/**
 * Who may do an operation, by somebody's hand and not by shared/can.ts, which this is held against.
 * everyone: credentials are not looked at · guest: a credential is optional, a bad one is refused · account: whoever is
 * logged in, about what is their own · admin: administrators only
 */
export type Row = {
  access: 'everyone' | 'guest' | 'account' | 'admin'
  /** Whose `{id}` the path names; then others than the owner find nothing. Absent: nobody's, or there is no `{id}`. */
  of?: 'order' | 'user' | 'session' | 'apiKey' | 'conversation' | 'upload'
  /** Ids of the document's example name nothing: whoever may ask is told so. */
  absent?: true
  /** Its answer does not end: nobody is asked who would get one. */
  endless?: true
  /** With `of`: administrators find what is others’ too. */
  adminSeesAll?: true
  /** With `of`: administrators find what is others’ and may not do this to it before they have joined. */
  adminMustJoin?: true
  /** What an API key needs; absent: no key may. */
  scope?: Scope
  /** It ends whoever does it, who has to be new for it. */
  ends?: true
}

/** A row an operationId: what is new in the API has to say here who may do it. */
export const matrix: Record<string, Row> = {
  getHealth: { access: 'everyone' },
  getReadiness: { access: 'everyone' },
  getKeySet: { access: 'everyone' },
  login: { access: 'everyone' },
  refreshSession: { access: 'everyone' },
  forgotPassword: { access: 'everyone' },
  resetPassword: { access: 'everyone' },
  receiveMailEvent: { access: 'everyone' },

  logout: { access: 'account', ends: true },
  logoutAll: { access: 'account', ends: true },
  listSessions: { access: 'account' },
  endSession: { access: 'account', of: 'session', ends: true },
  getCurrentUser: { access: 'account' },
  changePassword: { access: 'account', ends: true },

  createApiKey: { access: 'account' },
  listApiKeys: { access: 'account' },
  getApiKey: { access: 'account', of: 'apiKey' },
  revokeApiKey: { access: 'account', of: 'apiKey', ends: true },
  rotateApiKey: { access: 'account', of: 'apiKey' },
  getApiKeyUsage: { access: 'account', of: 'apiKey' },

  listUsers: { access: 'admin' },
  createUser: { access: 'admin' },
  getUser: { access: 'account', of: 'user', adminSeesAll: true },
  changeUser: { access: 'account', of: 'user', adminSeesAll: true },
  deleteUser: { access: 'admin' },

  listCategories: { access: 'everyone' },
  getCategory: { access: 'everyone' },
  createCategory: { access: 'admin', scope: 'categories:write' },
  changeCategory: { access: 'admin', scope: 'categories:write' },
  archiveCategory: { access: 'admin', scope: 'categories:write' },

  listProducts: { access: 'guest', scope: 'products:read' },
  getProduct: { access: 'guest', absent: true, scope: 'products:read' },
  createProduct: { access: 'admin', scope: 'products:write' },
  changeProduct: { access: 'admin', scope: 'products:write' },
  archiveProduct: { access: 'admin', scope: 'products:write' },
  changeStock: { access: 'admin', scope: 'products:write' },

  placeOrder: { access: 'account', scope: 'orders:write' },
  listOrders: { access: 'account', scope: 'orders:read' },
  getOrder: { access: 'account', of: 'order', adminSeesAll: true, scope: 'orders:read' },
  cancelOrder: { access: 'account', of: 'order', adminSeesAll: true, scope: 'orders:write' },
  changeOrderStatus: { access: 'admin', scope: 'orders:write' },

  register: { access: 'everyone' },
  verifyEmail: { access: 'everyone' },
  resendVerification: { access: 'everyone' },
  changeEmail: { access: 'account' },

  // Sockets are upgraded by a ticket or a token: their own tests ask who may.
  connectToConversation: { access: 'everyone' },
  connectToInbox: { access: 'everyone' },
  openConversation: { access: 'account', absent: true },
  listConversations: { access: 'account' },
  getConversation: { access: 'account', of: 'conversation', adminSeesAll: true },
  listMessages: { access: 'account', of: 'conversation', adminSeesAll: true },
  sendMessage: { access: 'account', of: 'conversation', adminMustJoin: true },
  // The file of the example names nothing.
  addConversationFiles: { access: 'account', of: 'conversation', adminMustJoin: true, absent: true },
  removeConversationFile: { access: 'account', of: 'conversation', adminMustJoin: true, absent: true },
  markRead: { access: 'account', of: 'conversation', adminMustJoin: true },
  listMembers: { access: 'account', of: 'conversation', adminSeesAll: true },
  addMember: { access: 'admin' },
  removeMember: { access: 'admin' },
  leaveConversation: { access: 'account', of: 'conversation' },
  closeConversation: { access: 'account', of: 'conversation', adminSeesAll: true },
  issueSocketTicket: { access: 'account', absent: true },
  listNotifications: { access: 'account' },
  markNotificationsRead: { access: 'account' },
  markNotificationRead: { access: 'account', absent: true },
  streamEvents: { access: 'account', endless: true },

  uploadFile: { access: 'account' },
  listUploads: { access: 'account' },
  getUpload: { access: 'account', of: 'upload', adminSeesAll: true },
  deleteUpload: { access: 'account', of: 'upload', adminSeesAll: true },
  makeFileLink: { access: 'account', absent: true },
  getFile: { access: 'guest', absent: true },
  presignUpload: { access: 'account' },
  completeUpload: { access: 'account', absent: true },
  beginMultipartUpload: { access: 'account' },
  signUploadPart: { access: 'account', absent: true },
  listUploadParts: { access: 'account', absent: true },
  completeMultipartUpload: { access: 'account', absent: true },
  abortMultipartUpload: { access: 'account', absent: true },
  sweepUploads: { access: 'admin' },

  listJobs: { access: 'admin' },
  getJobStats: { access: 'admin' },
  getJob: { access: 'admin' },
  retryJob: { access: 'admin' },
  discardJob: { access: 'admin' },
  redriveJobs: { access: 'admin' },
  pauseJobType: { access: 'admin' },
  resumeJobType: { access: 'admin' },

  requestReport: { access: 'admin', scope: 'reports:write' },
  listReports: { access: 'admin', scope: 'reports:read' },
  getReport: { access: 'admin', scope: 'reports:read' },
  getReportFile: { access: 'admin', scope: 'reports:read' },
}

/** What a new operation's author reads. */
export const howToAdd =
  'Add a row for it to test/support/edge-matrix.ts that says who may do it (and, when its path has an {id} that ' +
  'belongs to somebody, `of` with a maker in test/edge/matrix.test.ts), and name its `action` in the route and in ' +
  'src/shared/can.ts. See docs/guides/authorization.md.'

import { importRule } from './import-rule.ts'
import { roleRule } from './role-rule.ts'

export default { meta: { name: 'selvedge' }, rules: { imports: importRule, roles: roleRule } }

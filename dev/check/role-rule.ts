import type { RuleTester } from 'oxlint/plugins-dev'

type Rule = Parameters<RuleTester['run']>[1]

const message =
  'Who may do what is asked of shared/can.ts: name an action there, and use can, reachOf, rolesThatMay or withinReach'

const roles: unknown[] = ['user', 'admin']

type Node = { type: string; value?: unknown; name?: string; property?: Node; expression?: Node }

/** `role`, `actor.role`, `actor?.role`. */
const isRole = ({ type, name, property, expression }: Node): boolean =>
  (type === 'Identifier' && name === 'role') ||
  (type === 'MemberExpression' && property?.name === 'role') ||
  (type === 'ChainExpression' && expression !== undefined && isRole(expression))

const isName = ({ type, value }: Node): boolean => type === 'Literal' && roles.includes(value)

/** A role's name behind a comparison: of a column, or of a value that is put in before it. */
const inSql = /(?:^|role)\s*(?:=|<>|!=)\s*'(?:user|admin)'/

/** What a role may is said in one place: nobody else compares one with a name. */
export const roleRule: Rule = {
  meta: {
    type: 'problem',
    docs: { description: 'Leaves decisions about roles to the table of permissions' },
  },
  create(context) {
    return {
      BinaryExpression(node) {
        const [left, right] = [node.left, node.right] as unknown as [Node, Node]
        if (!/^[!=]==?$/.test(node.operator)) return
        if ((isRole(left) && isName(right)) || (isRole(right) && isName(left))) {
          context.report({ node, message })
        }
      },
      SwitchStatement(node) {
        if (isRole(node.discriminant as unknown as Node)) context.report({ node, message })
      },
      TemplateLiteral(node) {
        if (node.quasis.some(({ value }) => inSql.test(value.raw))) context.report({ node, message })
      },
    }
  },
}

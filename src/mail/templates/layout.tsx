import type { FC, PropsWithChildren } from 'hono/jsx'

/** Inline styles and tables only: mail programs know little else. Dark on white, one column, as wide as a phone. */
const font = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
const ink = '#1d2a2c'
const soft = '#5b6b6d'
const line = '#dfe5e4'
const accent = '#1f7a74'

export const Paragraph: FC<PropsWithChildren> = ({ children }) => (
  <p style={`margin:0 0 16px;${font};font-size:16px;line-height:24px;color:${ink}`}>{children}</p>
)

const Note: FC<PropsWithChildren> = ({ children }) => (
  <p style={`margin:0;${font};font-size:13px;line-height:20px;color:${soft}`}>{children}</p>
)

export const Button: FC<PropsWithChildren<{ href: string }>> = ({ href, children }) => (
  <table role="presentation" cellpadding="0" cellspacing="0" border={0} style="margin:8px 0 24px">
    <tr>
      <td style={`border-radius:6px;background:${accent}`}>
        <a
          href={href}
          style={`display:inline-block;padding:12px 22px;${font};font-size:16px;line-height:20px;font-weight:600;color:#ffffff;text-decoration:none`}
        >
          {children}
        </a>
      </td>
    </tr>
  </table>
)

const cell = `padding:10px 0;border-bottom:1px solid ${line};${font};font-size:15px;line-height:22px;color:${ink};vertical-align:top`

type RowsProps = {
  rows: [name: string, value: string, remark?: string][]
  /** Stands out below them. */
  total?: [name: string, value: string]
  /** Of the values: amounts stand right, words left; then the names are words of ours, which do not break. */
  align?: 'left' | 'right'
}

/** Rows of a name and what belongs to it. */
export const Rows: FC<RowsProps> = ({ rows, total, align = 'right' }) => (
  <table
    role="presentation"
    width="100%"
    cellpadding="0"
    cellspacing="0"
    border={0}
    style={`margin:0 0 24px;border-top:1px solid ${line}`}
  >
    {rows.map(([name, value, remark]) => (
      <tr>
        <td style={`${cell};padding-right:16px${align === 'left' ? '' : ';overflow-wrap:anywhere'}`}>
          {name}
          {remark === undefined ? (
            ''
          ) : (
            <span style={`display:block;font-size:13px;color:${soft}`}>{remark}</span>
          )}
        </td>
        <td align={align} style={`${cell};overflow-wrap:anywhere`}>
          {value}
        </td>
      </tr>
    ))}
    {total === undefined ? (
      ''
    ) : (
      <tr>
        <td style={`${cell};border-bottom:0;padding-right:16px;font-weight:700`}>{total[0]}</td>
        <td align="right" style={`${cell};border-bottom:0;font-weight:700;white-space:nowrap`}>
          {total[1]}
        </td>
      </tr>
    )}
  </table>
)

/** A narrow screen would break it at its hyphen. */
const unbroken = (title: string) =>
  title
    .split(/(e-mail)/)
    .map((part) => (part === 'e-mail' ? <span style="white-space:nowrap">{part}</span> : part))

/** What a mail begins and ends with. `preheader` is what a list of mails shows beside the subject. */
export const Layout: FC<PropsWithChildren<{ title: string; preheader: string; footer: string }>> = ({
  title,
  preheader,
  footer,
  children,
}) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light" />
      <title>{title}</title>
    </head>
    <body style="margin:0;padding:0;background:#f3f5f4">
      <div style="display:none;max-height:0;overflow:hidden">{preheader}</div>
      <table
        role="presentation"
        width="100%"
        cellpadding="0"
        cellspacing="0"
        border={0}
        style="background:#f3f5f4"
      >
        <tr>
          <td align="center" style="padding:24px 12px">
            <table
              role="presentation"
              width="100%"
              cellpadding="0"
              cellspacing="0"
              border={0}
              style={`max-width:560px;background:#ffffff;border:1px solid ${line};border-radius:8px`}
            >
              <tr>
                <td style={`padding:20px 28px;border-bottom:3px double ${accent}`}>
                  <span style={`${font};font-size:18px;font-weight:700;color:${ink}`}>Selvedge</span>
                </td>
              </tr>
              <tr>
                <td style="padding:28px 28px 12px">
                  <h1
                    style={`margin:0 0 16px;${font};font-size:24px;line-height:30px;font-weight:700;color:${ink}`}
                  >
                    {unbroken(title)}
                  </h1>
                  {children}
                </td>
              </tr>
              <tr>
                <td style={`padding:16px 28px 24px;border-top:1px solid ${line}`}>
                  <Note>{footer}</Note>
                </td>
              </tr>
            </table>
          </td>
        </tr>
      </table>
    </body>
  </html>
)
